# One test program per folder of src/, made of the *_test.cpp that stand beside the code.
find_package(GTest 1.12 REQUIRED)
include(GoogleTest)

# A module finds in a program what it takes from gamut, whether or not the program itself uses that.
if(TARGET gamut_openvino)
  set(core $<LINK_LIBRARY:WHOLE_ARCHIVE,gamut_core>)
else()
  set(core gamut_core)
endif()

file(GLOB test_folders CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/*)
foreach(folder ${test_folders})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*_test.cpp)
  list(FILTER sources EXCLUDE REGEX "/backend/openvino/")
  if(sources)
    add_executable(test_${folder} ${sources})
    target_include_directories(test_${folder} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(test_${folder} PRIVATE ${core} GTest::gtest_main)
    gtest_discover_tests(test_${folder} TEST_PREFIX ${folder}/ NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)
  endif()
endforeach()

foreach(folder checkpoint api)
  target_compile_definitions(test_${folder} PRIVATE GAMUT_TORCH_FIXTURES="${CMAKE_SOURCE_DIR}/tests/checkpoint/fixtures")
endforeach()

# What the tests of src/base open in place of NVIDIA's driver.
add_library(fake_libcuda MODULE tests/fake_libcuda.cpp)
target_link_libraries(fake_libcuda PRIVATE gamut_options)
add_dependencies(test_base fake_libcuda)
target_compile_definitions(test_base PRIVATE GAMUT_FAKE_LIBCUDA="$<TARGET_FILE:fake_libcuda>")

# Parity with transformers: the committed cases, without Python.
add_library(parity STATIC tests/parity/case.cpp tests/parity/compare.cpp tests/parity/generation.cpp)
target_include_directories(parity PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
target_link_libraries(parity PUBLIC gamut_core)
add_executable(test_parity tests/parity/generations_test.cpp tests/parity/parity_test.cpp)
target_compile_definitions(test_parity PRIVATE GAMUT_PARITY_FOLDER="${CMAKE_SOURCE_DIR}/tests/parity")
target_link_libraries(test_parity PRIVATE parity GTest::gtest_main)
gtest_discover_tests(test_parity TEST_PREFIX parity/ NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)

# Generation with the settings of transformers: fixed logits and whole texts, without Python.
add_executable(test_generation tests/generate/generation_test.cpp)
target_compile_definitions(test_generation PRIVATE GAMUT_SOURCE_FOLDER="${CMAKE_SOURCE_DIR}")
target_link_libraries(test_generation PRIVATE parity GTest::gtest_main)
gtest_discover_tests(test_generation TEST_PREFIX generation/ NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)

# Writes tests/parity/results.json and docs/MODELS.md from the same cases: `cmake --build … --target parity_status`.
add_executable(parity_status EXCLUDE_FROM_ALL tests/parity/status.cpp)
target_compile_definitions(parity_status PRIVATE GAMUT_SOURCE_FOLDER="${CMAKE_SOURCE_DIR}")
target_link_libraries(parity_status PRIVATE parity)

# The program itself, on a tiny model that a helper writes.
add_executable(make_tiny_model tests/e2e/make_tiny_model.cpp)
target_include_directories(make_tiny_model PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(make_tiny_model PRIVATE gamut_core)
add_library(wrong_backend MODULE tests/e2e/wrong_backend.cpp)
target_include_directories(wrong_backend PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(wrong_backend PRIVATE gamut_core)
add_test(NAME e2e/Chat COMMAND ${CMAKE_SOURCE_DIR}/tests/e2e/chat_test.sh $<TARGET_FILE:gamut> $<TARGET_FILE:make_tiny_model>)
add_test(NAME e2e/Cli COMMAND ${CMAKE_SOURCE_DIR}/tests/e2e/cli_test.sh $<TARGET_FILE:gamut> $<TARGET_FILE:make_tiny_model>
                              $<TARGET_FILE:wrong_backend>)
# Faults on purpose: allocations, system calls and threads that fail, files that shrink, weights that are no numbers.
file(GLOB fault_sources CONFIGURE_DEPENDS tests/faults/*.cpp)
add_executable(test_faults ${fault_sources})
target_compile_definitions(test_faults PRIVATE GAMUT_PARITY_FOLDER="${CMAKE_SOURCE_DIR}/tests/parity")
target_link_libraries(test_faults PRIVATE parity GTest::gtest_main ${CMAKE_DL_LIBS})
foreach(call open fstat mmap read pread write fsync rename)
  target_link_options(test_faults PRIVATE -Wl,--wrap=${call})
endforeach()
gtest_discover_tests(test_faults TEST_PREFIX faults/ DISCOVERY_TIMEOUT 60)

# Measures whether tokenizing is linear in the text: `cmake --build … --target text_scaling`.
add_executable(text_scaling EXCLUDE_FROM_ALL tests/scaling/text_scaling.cpp)
target_include_directories(text_scaling PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(text_scaling PRIVATE gamut_core)

# The OpenVINO backend from inside: which kernels run, what is kept on disk. Everything else tests it through the module.
if(TARGET gamut_openvino)
  file(GLOB openvino_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/backend/openvino/*.cpp)
  add_executable(test_openvino ${openvino_sources})
  target_include_directories(test_openvino PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(test_openvino SYSTEM PRIVATE $<TARGET_PROPERTY:openvino::runtime,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(test_openvino PRIVATE GAMUT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(test_openvino PRIVATE gamut_core openvino::runtime GTest::gtest_main)
  set_target_properties(test_openvino PROPERTIES BUILD_RPATH ${GAMUT_OPENVINO}/libs)
  gtest_discover_tests(test_openvino TEST_PREFIX openvino/ NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60)
endif()
