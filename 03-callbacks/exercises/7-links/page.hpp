// Given, and the same in all chapters: what a page is.

#pragma once

#include <string>
#include <vector>

struct Page {
  int status = 0;
  std::vector<std::string> links;  // whole URLs without their fragments, in the page's order
};

// The host of an http URL, without the port, such as 127.0.0.1.
std::string host_of(const std::string& url);

// Returns the page at `url`, read from its HTML.
Page parse_page(const std::string& url, int status, const std::string& html);
