# Third-party libraries; docs/DEPENDENCIES.md says why each is here.
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)

# fmt's headers only: src/base/fmt.cpp compiles its library part into ours, so that the binary needs no libfmt.so.
find_package(fmt 9 REQUIRED)
