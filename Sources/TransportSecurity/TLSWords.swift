import NIOSSL

/// What the TLS library reports, in words for whoever has to mend it.
enum TLSWords {
    static func isTLS(_ error: any Error) -> Bool {
        error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
    }

    /// True where the peer left in the midst of the handshake: port checks do.
    static func isHangUp(_ error: any Error) -> Bool {
        guard case .handshakeFailed(.sslError(let stack)) = error as? NIOSSLError else { return false }
        return stack == [.eofDuringHandshake] || stack.isEmpty
    }

    static func failure(_ error: any Error, isServer: Bool) -> String {
        if isHangUp(error) {
            return "the TLS handshake failed: the server closed the connection. Does it speak TLS there?"
        }
        if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
            return "the TLS handshake failed: the server's certificate is for other names (tls: server_name)"
        }
        let reason = reason(error)
        return
            "the TLS handshake failed: \(meaning(of: reason, isServer: isServer).map { "\($0) (\(reason))" } ?? reason)"
    }

    /// The library's own short names of what failed, such as `WRONG_VERSION_NUMBER`.
    static func reason(_ error: any Error) -> String {
        let stack: NIOBoringSSLErrorStack
        switch error {
        case NIOSSLError.handshakeFailed(.sslError(let errors)), BoringSSLError.sslError(let errors): stack = errors
        case BoringSSLError.unknownError(let errors): stack = errors
        default: return "\(error)"
        }
        let names = stack.map { part -> String in
            // error:CODE:LIBRARY:FUNCTION:REASON at FILE:LINE
            let text = "\(part)"
            let fields = text.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 5, let name = fields[5].split(separator: " ").first else { return text }
            return String(name)
        }
        return names.isEmpty ? "\(error)" : names.joined(separator: ", ")
    }

    private static func meaning(of reason: String, isServer: Bool) -> String? {
        let peer = isServer ? "client" : "server"
        func says(_ names: String...) -> Bool { names.contains { reason.contains($0) } }
        if says(
            "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNEXPECTED_MESSAGE", "UNEXPECTED_RECORD")
        {
            return "the \(peer) does not speak TLS"
        }
        if says("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION") {
            return "the \(peer) speaks no version of TLS that is served (1.2, 1.3)"
        }
        if says("PEER_DID_NOT_RETURN_A_CERTIFICATE") { return "the client showed no certificate" }
        if says("CERTIFICATE_VERIFY_FAILED") {
            return "the \(peer)'s certificate is of no CA that is trusted here, or is not valid at this time"
        }
        if says("ALERT_CERTIFICATE_REQUIRED") { return "the server wants a certificate (tls: cert, key)" }
        if says("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE") {
            return "the \(peer) does not accept this side's certificate"
        }
        if says("NO_SHARED_CIPHER", "ALERT_HANDSHAKE_FAILURE") { return "the two sides have no cipher in common" }
        return nil
    }
}
