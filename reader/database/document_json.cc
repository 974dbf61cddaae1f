#include "reader/database/document_json.h"

#include "core/time_format.h"

namespace tidegate::reader {

namespace {
class JsonSink final : public MemberSink {
 public:
  explicit JsonSink(std::string& out) : writer_(out) { writer_.BeginObject(); }
  void Finish() { writer_.EndObject(); }

  void String(std::string_view name, std::string_view text) override {
    writer_.Key(name);
    writer_.String(text);
  }
  void Integer(std::string_view name, int64_t number) override {
    writer_.Key(name);
    writer_.Integer(number);
  }
  void Double(std::string_view name, double number) override {
    writer_.Key(name);
    writer_.Double(number);
  }
  void Bool(std::string_view name, bool value) override {
    writer_.Key(name);
    writer_.Bool(value);
  }
  void Time(std::string_view name, WallTime time) override { String(name, FormatTime(time)); }
  void Json(std::string_view name, json::Value value) override {
    writer_.Key(name);
    writer_.Copy(value);
  }
  void BeginObject(std::string_view name) override {
    writer_.Key(name);
    writer_.BeginObject();
  }
  void EndObject() override { writer_.EndObject(); }

 private:
  json::Writer writer_;
};
}  // namespace

std::string DocumentJson(const Document& document) {
  std::string text;
  JsonSink sink(text);
  WriteMembers(document, sink);
  sink.Finish();
  return text;
}

}  // namespace tidegate::reader
