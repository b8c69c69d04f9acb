import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#endif

/// Why a connection could not be made, as a person says it: "connection refused" rather than the event loop's description of its attempts.
enum ConnectFailure {
    static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: return systemWords(error.errnoCode)
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty {
                // No address was tried: the name has none.
                return "the name '\(error.host)' can't be resolved"
            }
            var reasons: [String] = []
            for failure in error.connectionErrors.map({ words($0.error) }) where !reasons.contains(failure) {
                reasons.append(failure)
            }
            return reasons.joined(separator: "; ")
        case ChannelError.connectTimeout(let time): return "no answer within \(time.nanoseconds / 1_000_000) ms"
        default: return "\(error)"
        }
    }

    private static func systemWords(_ code: CInt) -> String {
        switch code {
        case ECONNREFUSED: "connection refused (nothing listens there)"
        case ETIMEDOUT: "no answer"
        default: String(cString: strerror(code)).lowercased()
        }
    }
}
