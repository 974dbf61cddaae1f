#include "drivers/serial/termios_stream.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

constexpr std::array<std::pair<unsigned, speed_t>, 20> kSpeeds{{
    {300, B300},         {600, B600},         {1200, B1200},       {2400, B2400},
    {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},
    {500000, B500000},   {576000, B576000},   {921600, B921600},   {1000000, B1000000},
    {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000},
}};

speed_t SpeedOf(unsigned baud) {
  for (const auto& [rate, speed] : kSpeeds) {
    if (rate == baud) return speed;
  }
  return B9600;
}

unsigned BaudOf(speed_t speed) {
  for (const auto& [rate, known] : kSpeeds) {
    if (known == speed) return rate;
  }
  return 0;
}

Error Unavailable(std::string_view operation, const std::string& device, int code) {
  // EBUSY is TIOCEXCL of the other one.
  const std::string cause =
      code == EBUSY ? "another program has it" : std::generic_category().message(code);
  return Error{ErrorCode::kUnavailable, fmt::format("{} {}: {}", operation, device, cause)};
}

// Bytes as they come: no line editing, no signals, no flow control, no modem lines; read() returns
// as soon as one byte is there.
void MakeRaw(termios& settings, const LineFormat& format) {
  cfmakeraw(&settings);
  settings.c_iflag &= ~static_cast<tcflag_t>(IXOFF | IXANY);
  settings.c_iflag |= IGNBRK;
  settings.c_cflag &= ~static_cast<tcflag_t>(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS | HUPCL);
  settings.c_cflag |= CLOCAL | CREAD | static_cast<tcflag_t>(format.data_bits == 7 ? CS7 : CS8);
  if (format.stop_bits == 2) settings.c_cflag |= CSTOPB;
  if (format.parity != Parity::kNone) {
    // Bytes with a parity error are dropped: what they were cannot be known.
    settings.c_cflag |= PARENB;
    settings.c_iflag |= INPCK | IGNPAR;
  }
  if (format.parity == Parity::kOdd) settings.c_cflag |= PARODD;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  cfsetispeed(&settings, SpeedOf(format.baud));
  cfsetospeed(&settings, SpeedOf(format.baud));
}

LineFormat FormatOf(const termios& settings) {
  LineFormat format;
  format.baud = BaudOf(cfgetospeed(&settings));
  format.data_bits = (settings.c_cflag & CSIZE) == CS7 ? 7 : 8;
  format.stop_bits = (settings.c_cflag & CSTOPB) != 0 ? 2 : 1;
  if ((settings.c_cflag & PARENB) == 0) {
    format.parity = Parity::kNone;
  } else {
    format.parity = (settings.c_cflag & PARODD) != 0 ? Parity::kOdd : Parity::kEven;
  }
  return format;
}

}  // namespace

TermiosStream::TermiosStream(std::string device, LineFormat format)
    : device_(std::move(device)), format_(format) {
  CHECK(IsBaudRate(format_.baud), "termios has the rate");
}

Status TermiosStream::Open() {
  Close();
  // Non-blocking from the start: open() of a modem line otherwise waits for its carrier.
  fd_ = UniqueFd(open(device_.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd_.valid()) return Unavailable("open", device_, errno);
  if (Status status = Configure(); !status) {
    Close();
    return status;
  }
  before_open_ = ReadCounters();
  return {};
}

Status TermiosStream::Configure() {
  termios settings{};
  if (tcgetattr(fd(), &settings) != 0) {
    return Unavailable("configure", device_, errno);
  }
  if (ioctl(fd(), TIOCEXCL) != 0) return Unavailable("lock", device_, errno);
  MakeRaw(settings, format_);
  if (tcsetattr(fd(), TCSANOW, &settings) != 0) return Unavailable("configure", device_, errno);
  // tcsetattr() succeeds if the device accepted any of the settings, so the result is read back.
  if (tcgetattr(fd(), &settings) != 0) return Unavailable("configure", device_, errno);
  const LineFormat accepted = FormatOf(settings);
  description_ = ToText(accepted);
  if (accepted != format_) {
    description_ += fmt::format(" (the device did not take {})", ToText(format_));
  }
  // What arrived before the settings were right is noise.
  tcflush(fd(), TCIFLUSH);
  return {};
}

Result<size_t> TermiosStream::Read(std::span<char> buffer) {
  CHECK(fd_.valid() && !buffer.empty(), "an open stream is read into a buffer");
  while (true) {
    const ssize_t count = read(fd(), buffer.data(), buffer.size());
    if (count > 0) return static_cast<size_t>(count);
    if (count == 0) return Error{ErrorCode::kUnavailable, "read " + device_ + ": hung up"};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return size_t{0};
    if (errno != EINTR) return Unavailable("read", device_, errno);
  }
}

LineErrors TermiosStream::ReadCounters() const {
  serial_icounter_struct counters{};
  // Pseudo-terminals and many USB adapters have none (ENOTTY).
  if (!fd_.valid() || ioctl(fd(), TIOCGICOUNT, &counters) != 0) return {};
  const auto number = [](int count) { return static_cast<uint64_t>(static_cast<uint32_t>(count)); };
  return {number(counters.overrun) + number(counters.buf_overrun),
          number(counters.frame) + number(counters.parity)};
}

LineErrors TermiosStream::errors() const {
  const LineErrors now = ReadCounters();
  const auto since = [](uint64_t after, uint64_t before) {
    return after > before ? after - before : 0;
  };
  return {since(now.overruns, before_open_.overruns), since(now.garbled, before_open_.garbled)};
}

}  // namespace tidegate
