# Third-party libraries; docs/DEPENDENCIES.md says why each is here.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

# fmt is linked statically so that the binary runs on a machine without libfmt.
find_package(fmt 9 REQUIRED)
find_library(GAMUT_FMT_STATIC NAMES libfmt.a)
add_library(gamut_fmt INTERFACE)
if(GAMUT_FMT_STATIC)
  target_link_libraries(gamut_fmt INTERFACE ${GAMUT_FMT_STATIC})
else()
  target_link_libraries(gamut_fmt INTERFACE fmt::fmt)
endif()
