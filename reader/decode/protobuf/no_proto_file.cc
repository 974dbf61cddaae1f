// Where libprotobuf's parser of .proto files has no header (Debian: libprotoc-dev).
#include <fmt/format.h>

#include "reader/decode/protobuf/schema_files_handle.h"

namespace tidegate::reader {

Result<google::protobuf::FileDescriptorSet> ReadProtoFile(const std::string& path) {
  return Error{ErrorCode::kInvalid,
               fmt::format("read {}: this build reads descriptor sets only: protoc "
                           "--include_imports --descriptor_set_out=FILE makes one",
                           path)};
}

}  // namespace tidegate::reader
