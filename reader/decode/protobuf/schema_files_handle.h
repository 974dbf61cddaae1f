// The files that describe a message type, whichever form they come in. Private to this folder.
#pragma once

#include <google/protobuf/descriptor.pb.h>

#include <string>

#include "core/result.h"

namespace tidegate::reader {

// A file with all that it imports.
google::protobuf::FileDescriptorSet WithImports(const google::protobuf::FileDescriptor& file);

// A *.proto; imports are looked for beside it. kInvalid: what is wrong and where.
Result<google::protobuf::FileDescriptorSet> ReadProtoFile(const std::string& path);

// A serialized FileDescriptorSet. kInvalid: it cannot be read or is none.
Result<google::protobuf::FileDescriptorSet> ReadDescriptorSet(const std::string& path);

}  // namespace tidegate::reader
