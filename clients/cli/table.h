// Text in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace credcache::cli {

// Columns as wide as their widest cell, two spaces between, no spaces at a line's end. Widths are in code points.
class Table {
 public:
  enum class Align : uint8_t { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kRight;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // Missing cells are empty.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // The titles, unless all are empty, then the rows; each line ends with a newline.
  std::string Render() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Code points of UTF-8; what is not UTF-8 counts by bytes that begin one.
size_t Width(absl::string_view text);

// The first `columns` code points.
absl::string_view CutTo(absl::string_view text, size_t columns);

}  // namespace credcache::cli
