# The kernels of src/backend/cpu/kernels/, compiled once per instruction set and linked into gamut_core.
set(kernel_folder ${CMAKE_SOURCE_DIR}/src/backend/cpu/kernels)
file(GLOB kernel_sources CONFIGURE_DEPENDS ${kernel_folder}/*.cpp)

# gamut_kernels(ISA DEFINE FLAGS…): one object library in namespace gamut::cpu::ISA.
function(gamut_kernels isa define)
  set(target gamut_kernels_${isa})
  add_library(${target} OBJECT ${kernel_sources})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PRIVATE gamut_options)
  target_compile_definitions(${target} PRIVATE GAMUT_ISA_NAMESPACE=${isa} ${define}=1)
  # Contraction off: a sum has the same bits however the compiler arranges it; kernels say fma where they mean it.
  target_compile_options(${target} PRIVATE ${ARGN} -ffp-contract=off -fno-math-errno -fno-trapping-math -fno-exceptions
                                           -fno-stack-protector)
  # Vector code at -O0 is a hundred times slower and tests nothing more; sanitizers at -O3 compile for minutes.
  if(GAMUT_SANITIZE OR GAMUT_COVERAGE)
    target_compile_options(${target} PRIVATE -O1)
  else()
    target_compile_options(${target} PRIVATE -O3)
  endif()
  target_sources(gamut_core PRIVATE $<TARGET_OBJECTS:${target}>)
endfunction()

gamut_kernels(baseline GAMUT_ISA_BASELINE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  gamut_kernels(avx2 GAMUT_ISA_AVX2 -mavx2 -mfma -mf16c -mbmi -mbmi2)
  gamut_kernels(avx512 GAMUT_ISA_AVX512 -mavx2 -mfma -mf16c -mbmi -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl
                -mprefer-vector-width=512
                # GCC 12 takes the undefined operands inside its own AVX-512 intrinsics for mistakes of the caller.
                $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  # Matrix products on tiles; everything else of that machine is AVX-512.
  set(amx_f32 ${kernel_folder}/amx/matmul_f32.cpp)
  set(amx_bf16 ${kernel_folder}/amx/matmul_bf16.cpp ${kernel_folder}/amx/attention_bf16.cpp)
  target_sources(gamut_kernels_avx512 PRIVATE ${amx_f32} ${amx_bf16})
  set_source_files_properties(${amx_f32} PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-int8")
  set_source_files_properties(${amx_bf16} PROPERTIES COMPILE_OPTIONS "-mamx-tile;-mamx-bf16;-mavx512bf16")
  target_compile_definitions(gamut_core PRIVATE GAMUT_KERNELS_AVX2=1 GAMUT_KERNELS_AVX512=1)
endif()
