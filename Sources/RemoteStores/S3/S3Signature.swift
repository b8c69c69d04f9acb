import Base
import Crypto
import Events

/// AWS Signature Version 4 in an `Authorization` header ("Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference).
///
/// The payload's SHA-256 is signed too, so that a store refuses bytes that changed on their way.
struct S3Signature {
    var credentials: S3Settings.Credentials
    var region: String

    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The headers to send along: date, payload hash, session token, and the signature.
    /// - Parameters:
    ///   - path: percent-encoded, beginning with `/`.
    ///   - query: percent-encoded, sorted.
    ///   - headers: all that is signed beside what is added here, `host` among them.
    func headers(
        _ method: String, path: String, query: String, headers: [HTTPHeader], payload: [UInt8], at time: Timestamp
    ) -> [HTTPHeader] {
        let stamp = Self.stamp(time)
        let payloadHash = Self.hex(SHA256.hash(data: payload))
        var added = [HTTPHeader("x-amz-content-sha256", payloadHash), HTTPHeader("x-amz-date", stamp)]
        if let token = credentials.sessionToken { added.append(HTTPHeader("x-amz-security-token", token)) }
        let signed = (headers + added).map { HTTPHeader($0.name.lowercased(), Self.trimmed($0.value)) }
            .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        let names = signed.map(\.name).joined(separator: ";")
        let canonical =
            [method, path, query, signed.map { "\($0.name):\($0.value)\n" }.joined(), names, payloadHash]
            .joined(separator: "\n")
        let scope = "\(stamp.prefix(8))/\(region)/s3/aws4_request"
        let text = [Self.algorithm, stamp, scope, Self.hex(SHA256.hash(data: Array(canonical.utf8)))]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8))
        for part in [String(stamp.prefix(8)), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        let signature = Self.hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
        added.append(
            HTTPHeader(
                "authorization",
                "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
            ))
        return added
    }

    /// `20130524T000000Z`
    private static func stamp(_ time: Timestamp) -> String {
        String(CivilTime(time).iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }

    private static func trimmed(_ value: String) -> String {
        value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
