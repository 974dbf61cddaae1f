#include <fmt/format.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/timestamp.pb.h>

#include <filesystem>

#include "reader/decode/protobuf/schema_files_handle.h"

namespace tidegate::reader {

namespace pb = google::protobuf;

namespace {
class FirstFileError final : public pb::compiler::MultiFileErrorCollector {
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
  // google/protobuf/*.proto are in the library; their files come with packages for development.
  pb::Timestamp::descriptor();
  pb::DescriptorPoolDatabase well_known(*pb::DescriptorPool::generated_pool());
  pb::compiler::SourceTreeDescriptorDatabase files(&tree, &well_known);
  FirstFileError error;
  files.RecordErrorsTo(&error);
  pb::DescriptorPool pool(&files, files.GetValidationErrorCollector());
  const pb::FileDescriptor* descriptor = pool.FindFileByName(file.filename().string());
  if (!descriptor)
    return Error{ErrorCode::kInvalid, fmt::format("read {}: {}", path, error.text())};
  return WithImports(*descriptor);
}

}  // namespace tidegate::reader
