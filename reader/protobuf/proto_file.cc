#include <fmt/format.h>
#include <google/protobuf/compiler/importer.h>

#include <filesystem>

#include "reader/protobuf/schema_files_handle.h"

namespace tidegate::reader {

namespace pb = google::protobuf;

namespace {
class FirstError final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int column, const std::string& text) override {
    if (!text_.empty()) return;
    text_ = line < 0 ? fmt::format("{}: {}", file, text)
                     : fmt::format("{}:{}:{}: {}", file, line + 1, column + 1, text);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};
}  // namespace

Result<pb::FileDescriptorSet> ReadProtoFile(const std::string& path) {
  const std::filesystem::path file(path);
  pb::compiler::DiskSourceTree tree;
  tree.MapPath("", file.has_parent_path() ? file.parent_path().string() : ".");
  tree.MapPath("", "/usr/include");  // Where Debian keeps google/protobuf/*.proto.
  FirstError error;
  pb::compiler::Importer importer(&tree, &error);
  const pb::FileDescriptor* descriptor = importer.Import(file.filename().string());
  if (!descriptor) return Error{ErrorCode::kInvalid, fmt::format("read {}", error.text())};
  return WithImports(*descriptor);
}

}  // namespace tidegate::reader
