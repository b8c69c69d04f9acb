import Base
import KafkaConnection

#if canImport(Glibc)
    import Glibc
#endif

/// Why a socket can't be opened, for a person.
struct SocketError: Error, CustomStringConvertible {
    var description: String

    init(_ what: String, _ code: CInt) { description = "\(what): \(String(cString: strerror(code)))" }
    init(_ description: String) { self.description = description }
}

/// Opens the sockets that a receiver listens at. None of them blocks.
enum ReceiverSocket {
    /// What the kernel should hold while the receiver writes to the disk; it gives as much as `net.core.rmem_max` allows.
    static let receiveBufferBytes: CInt = 4 << 20

    static func udp(_ address: Address) throws(SocketError) -> CInt {
        let socket = try bound(address, type: CInt(SOCK_DGRAM.rawValue))
        set(socket, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
        // Each datagram then tells how many the kernel dropped before it.
        set(socket, SOL_SOCKET, SO_RXQ_OVFL, 1)
        return socket
    }

    static func tcp(_ address: Address) throws(SocketError) -> CInt {
        let socket = try bound(address, type: CInt(SOCK_STREAM.rawValue))
        guard listen(socket, 128) == 0 else {
            let code = errno
            close(socket)
            throw SocketError("can't listen at tcp://\(address)", code)
        }
        return socket
    }

    /// A datagram socket at a path, for every user of the machine. What a dead process left there is replaced.
    static func unix(_ path: String) throws(SocketError) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SocketError("the path of a socket has at most 107 bytes: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let socket = try make(AF_UNIX, CInt(SOCK_DGRAM.rawValue))
        var code = bind(socket, &address)
        if code == EADDRINUSE, isDead(path, &address) {
            unlink(path)
            code = bind(socket, &address)
        }
        guard code == 0 else {
            close(socket)
            throw SocketError("can't bind unix:\(path)", code)
        }
        chmod(path, 0o666)
        set(socket, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
        return socket
    }

    /// Whether a socket stands there that nobody listens at.
    private static func isDead(_ path: String, _ address: inout sockaddr_un) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK,
            let probe = try? make(AF_UNIX, CInt(SOCK_DGRAM.rawValue))
        else { return false }
        defer { close(probe) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result != 0 && errno == ECONNREFUSED
    }

    private static func make(_ family: CInt, _ type: CInt) throws(SocketError) -> CInt {
        let flags = CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let made = socket(family, type | flags, 0)
        guard made >= 0 else { throw SocketError("no socket can be made", errno) }
        return made
    }

    private static func bound(_ address: Address, type: CInt) throws(SocketError) -> CInt {
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        let kind = type == CInt(SOCK_DGRAM.rawValue) ? "udp" : "tcp"
        let port = in_port_t(truncatingIfNeeded: address.port).bigEndian
        var (v4, v6) = (sockaddr_in(), sockaddr_in6())
        let (made, code): (CInt, CInt)
        if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port
            made = try make(AF_INET, type)
            set(made, SOL_SOCKET, SO_REUSEADDR, type == CInt(SOCK_STREAM.rawValue) ? 1 : 0)
            code = bind(made, &v4)
        } else if inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port
            made = try make(AF_INET6, type)
            set(made, SOL_SOCKET, SO_REUSEADDR, type == CInt(SOCK_STREAM.rawValue) ? 1 : 0)
            code = bind(made, &v6)
        } else {
            throw SocketError("expected an address of this machine, found '\(address.host)'")
        }
        guard code == 0 else {
            close(made)
            throw SocketError("can't bind \(kind)://\(address)", code)
        }
        return made
    }

    /// 0, or what went wrong.
    private static func bind<Address>(_ socket: CInt, _ address: inout Address) -> CInt {
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        return result == 0 ? 0 : errno
    }

    static func set(_ socket: CInt, _ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        _ = setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    /// The bytes of an IPv4 or IPv6 address; none for another.
    static func append(addressOf storage: inout sockaddr_storage, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: &storage) { raw in
            switch CInt(raw.load(as: sa_family_t.self)) {
            case AF_INET: bytes += raw[4..<8]
            case AF_INET6: bytes += raw[8..<24]
            default: break
            }
        }
    }
}
