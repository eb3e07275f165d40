# Third-party libraries; docs/DEPENDENCIES.md says why each is here.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

# fmt's headers only: src/base/fmt.cpp compiles its library part into ours, so that the binary needs no libfmt.so.
find_package(fmt 9 REQUIRED)

# PCRE2's static 8-bit library, so that the binary needs no libpcre2-8.so.
find_path(PCRE2_INCLUDE_DIR pcre2.h REQUIRED)
find_library(PCRE2_LIBRARY NAMES libpcre2-8.a pcre2-8-static REQUIRED)
add_library(pcre2 INTERFACE)
target_include_directories(pcre2 SYSTEM INTERFACE ${PCRE2_INCLUDE_DIR})
target_link_libraries(pcre2 INTERFACE ${PCRE2_LIBRARY})
target_compile_definitions(pcre2 INTERFACE PCRE2_STATIC)
