import Base

#if canImport(Glibc)
    import Glibc
#endif

/// What the service manager is told: datagrams of `NAME=value` lines to the socket that it named.
///
/// A datagram of our own rather than libsystemd's, whose library would be loaded into every process for these lines; the protocol is stable and
/// made to be written by hand. Where no manager listens nothing is said. Source: sd_notify(3), "Notes".
public struct ServiceManager: Sendable {
    private let address: String?
    /// How long the manager waits for a sign of life before it kills the process; nil where it does not watch.
    public let watchdog: Duration?

    public init(environment: [String: String] = processEnvironment(), pid: Int32 = getpid()) {
        address = environment["NOTIFY_SOCKET"].flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        // WATCHDOG_PID names the process that is meant: it may not be this one.
        let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(pid)" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
        watchdog = address != nil && isMeant && microseconds > 0 ? .microseconds(microseconds) : nil
    }

    public var isThere: Bool { address != nil }

    /// The line of a new status text; what would end the line or the datagram is left out.
    public static func status(_ text: String) -> String {
        "STATUS=" + String(text.map { $0.isNewline || $0 == "\0" ? " " : $0 }.prefix(500))
    }

    /// False where the manager did not get it: there is none, or its socket is gone.
    @discardableResult
    public func tell(_ lines: [String]) -> Bool {
        guard let address, !lines.isEmpty else { return false }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        var path = Array(address.utf8)
        guard path.count < MemoryLayout.size(ofValue: name.sun_path) else { return false }
        // A leading @ stands for the NUL of an abstract name.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let message = Array(lines.joined(separator: "\n").utf8)
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), pointer, length)
            }
        } == message.count
    }
}
