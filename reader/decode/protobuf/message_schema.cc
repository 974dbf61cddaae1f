#include "reader/decode/protobuf/message_schema.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/timestamp.pb.h>
#include <sales_event.pb.h>

#include "reader/decode/protobuf/message_json_handle.h"
#include "reader/decode/protobuf/schema_files_handle.h"

namespace tidegate::reader {

namespace pb = google::protobuf;

namespace {
class FirstError final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message* /*where*/,
                ErrorLocation /*place*/, const std::string& text) override {
    if (text_.empty()) text_ = fmt::format("{}: {}: {}", file, element, text);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};
}  // namespace

// The members are declared in the order in which they depend on each other.
struct MessageSchema::Impl {
  pb::SimpleDescriptorDatabase files;
  // What a set without its imports may lack of google/protobuf/*.proto.
  pb::DescriptorPoolDatabase well_known{*pb::DescriptorPool::generated_pool()};
  pb::MergedDescriptorDatabase all{&files, &well_known};
  FirstError error;
  pb::DescriptorPool pool{&all, &error};
  pb::DynamicMessageFactory factory{&pool};
  const pb::Message* prototype = nullptr;  // The factory's.

  Status Build(const pb::FileDescriptorSet& set, const std::string& message) {
    // The library would print to stderr what the caller receives in a Result.
    pb::SetLogHandler(nullptr);
    pb::Timestamp::descriptor();  // Links the well-known types in.
    for (const pb::FileDescriptorProto& file : set.file()) files.Add(file);
    for (const pb::FileDescriptorProto& file : set.file()) {
      if (!pool.FindFileByName(file.name())) return Error{ErrorCode::kInvalid, error.text()};
    }
    const pb::Descriptor* type = pool.FindMessageTypeByName(message);
    if (!type) return Error{ErrorCode::kInvalid, fmt::format("there is no message '{}'", message)};
    prototype = factory.GetPrototype(type);
    return {};
  }
};

MessageSchema::MessageSchema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MessageSchema::~MessageSchema() = default;

Result<std::shared_ptr<const MessageSchema>> MessageSchema::Load(const std::string& path,
                                                                 const std::string& message) {
  const auto set = path.empty()               ? WithImports(*SalesEvent::descriptor()->file())
                   : path.ends_with(".proto") ? ReadProtoFile(path)
                                              : ReadDescriptorSet(path);
  if (!set.ok()) return set.error();
  auto impl = std::make_unique<Impl>();
  Status status = impl->Build(*set, message);
  if (!status.ok()) return status.error();
  return std::shared_ptr<const MessageSchema>(new MessageSchema(std::move(impl)));
}

Result<std::string> MessageSchema::ToJson(std::string_view bytes, const json::Limits& limits,
                                          bool refuse_unknown) const {
  const std::string& name = impl_->prototype->GetDescriptor()->full_name();
  if (bytes.size() > kMaxProtobufBytes) {
    return Error{ErrorCode::kRejected,
                 fmt::format("{} bytes, {} are taken", bytes.size(), kMaxProtobufBytes)};
  }
  const std::unique_ptr<pb::Message> message(impl_->prototype->New());
  pb::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                              static_cast<int>(bytes.size()));
  in.SetRecursionLimit(static_cast<int>(limits.max_depth));
  if (!message->MergePartialFromCodedStream(&in) || !in.ConsumedEntireMessage())
    return Error{ErrorCode::kRejected, fmt::format("the value is no {}", name)};
  if (!message->IsInitialized()) {
    return Error{ErrorCode::kRejected,
                 fmt::format("{} without {}", name, message->InitializationErrorString())};
  }
  return MessageToJson(*message, limits, refuse_unknown);
}

}  // namespace tidegate::reader
