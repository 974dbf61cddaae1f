// Reads the files that describe a message type, in either form. Private to this folder. Any thread.
#pragma once

#include <google/protobuf/descriptor.pb.h>

#include <string>

#include "core/result.h"

namespace tidegate::reader {

// Returns the file with all files that it imports.
google::protobuf::FileDescriptorSet WithImports(const google::protobuf::FileDescriptor& file);

// Parses a *.proto; imports are searched beside it. kInvalid: what is wrong and where.
Result<google::protobuf::FileDescriptorSet> ReadProtoFile(const std::string& path);

// Reads a serialized FileDescriptorSet. kInvalid: it cannot be read or is no such set.
Result<google::protobuf::FileDescriptorSet> ReadDescriptorSet(const std::string& path);

}  // namespace tidegate::reader
