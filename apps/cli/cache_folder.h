// Where the program keeps what it has downloaded or made.
#pragma once

#include <filesystem>

namespace gamut::cli {

/// $GAMUT_CACHE_DIR, else $XDG_CACHE_HOME/gamut, else ~/.cache/gamut; empty when none of them is set.
std::filesystem::path cache_folder();

}  // namespace gamut::cli
