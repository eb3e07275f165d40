# Compiler flags shared by every target.
add_library(gamut_options INTERFACE)
target_compile_options(gamut_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
                       -Wno-missing-field-initializers  # designated initialisers leave the rest to defaults
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # GCC 12 finds overlaps in std::string that are not there
if(GAMUT_WERROR)
  target_compile_options(gamut_options INTERFACE -Werror)
endif()
if(GAMUT_VERIFY_GRAPHS)
  target_compile_definitions(gamut_options INTERFACE GAMUT_VERIFY_GRAPHS=1)
endif()
if(GAMUT_SANITIZE)
  target_compile_options(gamut_options INTERFACE -fsanitize=${GAMUT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(gamut_options INTERFACE -fsanitize=${GAMUT_SANITIZE})
else()
  # Hardening that costs nothing measurable on the hot path (the kernels touch raw memory, not containers).
  target_compile_options(gamut_options INTERFACE $<$<CONFIG:Release>:-fstack-protector-strong>)
  target_link_options(gamut_options INTERFACE -Wl,-z,relro,-z,now)
endif()
if(GAMUT_COVERAGE)
  target_compile_options(gamut_options INTERFACE --coverage)
  target_link_options(gamut_options INTERFACE --coverage)
endif()
# One binary to ship: the C++ runtime travels inside it. With OpenVINO, whose libraries bring the shared one into the
# process, there must be one of them only: exceptions cross between the program and its module.
if(NOT GAMUT_SANITIZE AND NOT GAMUT_OPENVINO)
  target_link_options(gamut_options INTERFACE -static-libstdc++ -static-libgcc)
endif()
