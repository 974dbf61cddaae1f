#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "reader/decode/protobuf/schema_files_handle.h"

namespace tidegate::reader {

namespace pb = google::protobuf;

namespace {
void Collect(const pb::FileDescriptor& file, std::set<std::string>& seen,
             pb::FileDescriptorSet& set) {
  if (!seen.insert(file.name()).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) Collect(*file.dependency(i), seen, set);
  file.CopyTo(set.add_file());
}
}  // namespace

pb::FileDescriptorSet WithImports(const pb::FileDescriptor& file) {
  pb::FileDescriptorSet set;
  std::set<std::string> seen;
  Collect(file, seen, set);
  return set;
}

Result<pb::FileDescriptorSet> ReadDescriptorSet(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Error{ErrorCode::kInvalid, fmt::format("read {}: {}", path, std::strerror(errno))};
  pb::FileDescriptorSet set;
  if (!set.ParseFromIstream(&file) || set.file_size() == 0) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("read {}: it is neither a *.proto nor a descriptor set", path)};
  }
  return set;
}

}  // namespace tidegate::reader
