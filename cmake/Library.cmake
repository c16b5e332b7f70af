# headrace_library(engine/base [LINK lib...] [ALONE file...]) makes the static library headrace_engine_base from every .cc file
# of the calling folder. Links are written out, so that an include against the layers does not link.
#
# ALONE, here and below: files with file-local names that another file of the folder has too. Where files are compiled together
# (CMAKE_UNITY_BUILD: in every preset but debug and fuzz, for half the time that a build from nothing takes), these are not. The rest
# of a folder must compile as one, however it is cut, or a new file would break the build of files that it has nothing to do with.
function(headrace_library folder)
  cmake_parse_arguments(ARG "" "" "LINK;ALONE" ${ARGN})
  string(REPLACE "/" "_" name "headrace_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_LINK})
    headrace_keep_alone(${CMAKE_SOURCE_DIR}/${folder} ${ARG_ALONE})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK})
  endif()
endfunction()

function(headrace_keep_alone folder)
  foreach(file ${ARGN})
    set_source_files_properties(${folder}/${file} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

# What a test may take: sanitizers are slow, and long runs (HEADRACE_SIM_LONG) are meant to be.
set(HEADRACE_TEST_TIMEOUT_S 900)
if(DEFINED ENV{HEADRACE_SIM_LONG})
  set(HEADRACE_TEST_TIMEOUT_S 36000)
elseif(HEADRACE_SANITIZE)
  set(HEADRACE_TEST_TIMEOUT_S 1800)
endif()

# Builds what is labelled `stress`: the programs worth running under the thread sanitizer.
add_custom_target(headrace_stress)

# headrace_test(engine/base LABELS unit LINK lib... [ALONE file...]) makes one test program from every *_test.cc of
# tests/<folder>; the helpers beside them (other .cc files) are compiled in.
function(headrace_test folder)
  cmake_parse_arguments(ARG "" "" "LABELS;LINK;ALONE" ${ARGN})
  string(REPLACE "/" "_" name "test_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  headrace_compile_quickly(${name})
  headrace_keep_alone(${CMAKE_SOURCE_DIR}/tests/${folder} ${ARG_ALONE})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} headrace_tests_support GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${folder} COMMAND ${name})
  set_tests_properties(${folder} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${HEADRACE_TEST_TIMEOUT_S})
  if("stress" IN_LIST ARG_LABELS)
    add_dependencies(headrace_stress ${name})
  endif()
endfunction()

# Most of the time that a test takes to compile goes into headers of others. The first program precompiles them for all, and
# HEADRACE_TOGETHER compiles the files of each program together, eight at a time.
option(HEADRACE_TOGETHER "Compile test files together" ON)
function(headrace_compile_quickly program)
  if(HEADRACE_TOGETHER)
    set_target_properties(${program} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
  # Tests wait for what they test, not for themselves: full optimisation would take half as long again to compile.
  if(CMAKE_BUILD_TYPE STREQUAL Release)
    target_compile_options(${program} PRIVATE -O1)
  endif()
  # As GoogleTest's own target says it, for programs that do not link that: headers precompiled with it fit nothing else.
  target_compile_definitions(${program} PRIVATE GTEST_HAS_PTHREAD=1)
  get_property(first GLOBAL PROPERTY HEADRACE_FIRST_TEST)
  if(first)
    target_precompile_headers(${program} REUSE_FROM ${first})
  else()
    set_property(GLOBAL PROPERTY HEADRACE_FIRST_TEST ${program})
    target_precompile_headers(${program} PRIVATE <algorithm> <atomic> <filesystem> <fstream> <functional> <iostream> <map>
      <memory> <mutex> <optional> <random> <set> <string> <thread> <vector> <gmock/gmock.h> <gtest/gtest.h>
      <absl/container/flat_hash_map.h> <absl/status/statusor.h> <absl/strings/str_cat.h>)
  endif()
endfunction()
