// Keeps libmosquitto initialised. Loop thread only.
#pragma once

namespace tidegate {

// Each driver holds one of these; the library counts its users itself. The first one also makes the
// process ignore SIGPIPE, unless it has a handler: the library writes to its sockets with plain
// write(2), and a broker that closes at the wrong moment would otherwise end the process.
class MosquittoLibrary {
 public:
  MosquittoLibrary();
  ~MosquittoLibrary();
  MosquittoLibrary(const MosquittoLibrary&) = delete;
  MosquittoLibrary& operator=(const MosquittoLibrary&) = delete;
};

}  // namespace tidegate
