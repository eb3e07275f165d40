// Texts of HTML, as markupsafe, Python's html module and Jinja's urlize treat them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::jinja {

/// With & < > ' " as entities.
std::string escaped_html(std::string_view text);
/// With its entities as characters: html.unescape.
std::string unescaped_html(std::string_view text);
/// Without tags and comments, white space collapsed, entities as characters.
std::string without_tags(std::string_view text);

struct LinkStyle {
  std::string rel, target;           ///< attributes; empty: none
  int64_t longest = -1;              ///< characters of an address that are shown; negative: all
  std::vector<std::string> schemes;  ///< further beginnings of addresses
};

/// An escaped text with its addresses as links.
std::string with_links(std::string_view text, const LinkStyle& style);
/// Whether a text may be one of the further beginnings, as "ftp://".
bool is_uri_scheme(std::string_view text);

}  // namespace gamut::jinja
