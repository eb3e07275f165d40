# One test program per folder of src/, made of the *_test.cpp that stand beside the code.
find_package(GTest 1.12 REQUIRED)
include(GoogleTest)

file(GLOB test_folders CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/*)
foreach(folder ${test_folders})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*_test.cpp)
  if(sources)
    add_executable(test_${folder} ${sources})
    target_include_directories(test_${folder} PRIVATE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(test_${folder} PRIVATE gamut_core GTest::gtest_main)
    gtest_discover_tests(test_${folder} TEST_PREFIX ${folder}/ DISCOVERY_TIMEOUT 60)
  endif()
endforeach()
