# Tables made from a folder's files: adding a file adds the entry, and there is no registration code.

# gamut_table(OUTPUT <file> HEADER <header> NAMESPACE <ns> TYPE <type> FUNCTION <name> FILES <file>…)
# For each file `some_name.cpp` declares `extern const TYPE kSomeName;` and lists its address in `FUNCTION()`.
function(gamut_table)
  cmake_parse_arguments(T "" "OUTPUT;HEADER;NAMESPACE;TYPE;FUNCTION" "FILES" ${ARGN})
  set(declarations "")
  set(entries "")
  foreach(file ${T_FILES})
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "_" ";" words ${stem})
    set(name "k")
    foreach(word ${words})
      string(SUBSTRING ${word} 0 1 first)
      string(SUBSTRING ${word} 1 -1 rest)
      string(TOUPPER ${first} first)
      string(APPEND name ${first}${rest})
    endforeach()
    string(APPEND declarations "extern const ${T_TYPE} ${name};\n")
    string(APPEND entries "    &${name},\n")
  endforeach()
  file(CONFIGURE OUTPUT ${T_OUTPUT} CONTENT
"// Made by cmake/GamutTables.cmake from the folder's files.
#include \"@T_HEADER@\"

namespace @T_NAMESPACE@ {

@declarations@
std::span<const @T_TYPE@* const> @T_FUNCTION@() {
  static const @T_TYPE@* const entries[] = {
@entries@  };
  return entries;
}

}  // namespace @T_NAMESPACE@
" @ONLY)
endfunction()
