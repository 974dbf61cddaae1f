#include "tests/contract/transport_contract.h"
#include "tests/support/scripted_transport.h"

namespace tidegate {

namespace {
class ScriptedWorld final : public TransportWorld {
 public:
  ScriptedWorld() {
    transport_.SetRoom(100);
    transport_.SetMaxValueBytes(1'000'000);
    transport_.SetRefusal(Refusal::kSize);
  }
  Transport& transport() override { return transport_; }
  void LinkDown() override {
    link_ = false;
    transport_.SetConnected(false);
  }
  void LinkUp() override {
    link_ = true;
    transport_.SetConnected(true);
  }
  void RefuseNextRequest() override { refuse_ = true; }

  bool RunUntil(const std::function<bool()>& done) override {
    for (int turn = 0; turn < 3 && !done(); ++turn) {
      if (!link_ || transport_.pending().empty()) continue;
      transport_.AnswerRequests([this](const WireMessage&) { return refuse_; });
      refuse_ = false;
    }
    return done();
  }

  std::vector<std::string> ArrivedValues(const std::string& topic) override {
    std::vector<std::string> values;
    for (const auto& sent : transport_.delivered()) {
      if (sent.message.topic == topic) values.push_back(sent.message.value);
    }
    return values;
  }

 private:
  ScriptedTransport transport_;
  bool link_ = true;
  bool refuse_ = false;
};
}  // namespace

std::unique_ptr<TransportWorld> MakeScriptedWorld() {
  return std::make_unique<ScriptedWorld>();
}

}  // namespace tidegate
