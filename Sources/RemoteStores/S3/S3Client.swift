import Base
import Events
import Exports

/// One request to a bucket.
struct S3Request: Sendable {
    var method: String
    /// Below the bucket; nil for the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers: [HTTPHeader] = []
    var body: [UInt8]?
    var answerBytesMax = ByteCount.mib(1)
    /// Statuses that the caller understands; any other is an error.
    var expected: Set<Int> = [200]
    /// True where the caller has to know that an unanswered request may have taken effect.
    var isDecisive = false

    init(_ method: String, _ key: String?) {
        self.method = method
        self.key = key
    }
}

/// Signs requests and sends them, again where no answer comes or the store says that it can't just now. Every request that an export makes of
/// S3 may be sent twice.
/// Source: Amazon Simple Storage Service API Reference, 2006-03-01.
final class S3Client: Sendable {
    let settings: S3Settings
    private let keys: S3CredentialSource
    private let transport: any HTTPTransport
    private let time: any TimeSource
    private let sleep: @Sendable (Duration) async throws -> Void

    private static let pauseMax = Duration.seconds(5)

    init(
        _ settings: S3Settings, keys: S3CredentialSource, transport: any HTTPTransport, time: any TimeSource,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.settings = settings
        self.keys = keys
        self.transport = transport
        self.time = time
        self.sleep = sleep
    }

    /// `s3://bucket/prefix/key`, for messages.
    func name(_ key: String) -> String { "s3://\(settings.bucket)/\(key)" }

    /// An answer that the caller expects.
    /// - Throws: `.store`, or `.unanswered` where a decisive request may have taken effect.
    func send(_ request: S3Request) async throws(ExportError) -> HTTPAnswer {
        let what = "\(name(request.key ?? "")): \(request.method)"
        var isUncertain = false
        for attempt in 1... {
            let failure: String
            switch await call(request, try keys.current()) {
            case .success(let answer):
                let trouble = S3Trouble(answer)
                if request.expected.contains(answer.status), !trouble.isInside(answer) { return answer }
                let isRenewed = try trouble.isOfKeys ? keys.renew() : false
                guard isRenewed || trouble.isPassing else {
                    throw ExportError(.store, "\(what): \(trouble.text)\(trouble.hint(settings))")
                }
                // Whether a gateway that lost patience had passed it on, nobody knows.
                isUncertain = isUncertain || answer.status >= 500
                failure = trouble.text
            case .failure(let error):
                isUncertain = isUncertain || !error.isUnsent
                failure = error.reason
            }
            let code = request.isDecisive && isUncertain ? ExportError.Code.unanswered : .store
            guard attempt < settings.triesMax else { throw ExportError(code, "\(what): \(failure)") }
            do { try await sleep(min(.milliseconds(100) * (1 << min(attempt, 6)), Self.pauseMax)) } catch {
                throw ExportError(code, "\(what): \(failure)")
            }
        }
        preconditionFailure("tries have an end")
    }

    private func call(_ request: S3Request, _ credentials: S3Settings.Credentials?) async -> Result<
        HTTPAnswer, HTTPFailure
    > {
        let (scheme, host, base) = settings.address
        let path = base + Self.encoded(request.key ?? "", keepsSlashes: true)
        let query = request.query.map { (Self.encoded($0.name), Self.encoded($0.value)) }.sorted { $0 < $1 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        var headers = request.headers
        if let credentials {
            let signature = S3Signature(credentials: credentials, region: settings.region)
            headers += signature.headers(
                request.method, path: path, query: query, headers: headers + [HTTPHeader("host", host)],
                payload: request.body ?? [], at: time.wallTime)
        }
        let url = "\(scheme)://\(host)\(path)" + (query.isEmpty ? "" : "?\(query)")
        let call = HTTPCall(
            request.method, url, headers: headers, body: request.body.map { .bytes($0) } ?? .none,
            answerBytesMax: request.answerBytesMax)
        do throws(HTTPFailure) { return .success(try await transport.send(call)) } catch { return .failure(error) }
    }

    /// As the signature wants it.
    static func encoded(_ text: String, keepsSlashes: Bool = false) -> String {
        PercentEncoding.encoded(text, keeping: keepsSlashes ? [UInt8(ascii: "/")] : [])
    }
}

/// What a store says is wrong.
struct S3Trouble {
    let status: Int
    let code: String
    let message: String
    private let region: String?

    init(_ answer: HTTPAnswer) {
        status = answer.status
        region = answer.header("x-amz-bucket-region")
        // Only errors are looked into, and what begins like one: a completed upload may answer 200 and still say one.
        let isError = status >= 300 || answer.body.prefix(400).contains(subsequence: "<Error>")
        guard isError, let root = XMLElement(answer.body), root.name == "Error" else {
            code = ""
            message = ""
            return
        }
        code = root.text("Code") ?? ""
        message = String((root.text("Message") ?? "").prefix(300))
    }

    /// True where an answer of success holds an error.
    func isInside(_ answer: HTTPAnswer) -> Bool { answer.status == 200 && !code.isEmpty }

    var text: String { code.isEmpty ? "HTTP status \(status)" : "\(code): \(message)" }

    /// True where the same request may succeed in a while.
    var isPassing: Bool {
        switch code {
        case "ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "SlowDown", "InternalError",
            "ServiceUnavailable", "Busy":
            true
        case "NotImplemented": false
        default: status >= 500 || status == 429 || status == 408
        }
    }

    /// True where other keys might be taken.
    var isOfKeys: Bool {
        switch code {
        case "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch": true
        default: false
        }
    }

    /// What a person can do.
    func hint(_ settings: S3Settings) -> String {
        if let region, region != settings.region {
            return "; the bucket is in region \(region): name it with 'region'"
        }
        switch code {
        case "NoSuchBucket": return "; make the bucket \(settings.bucket), or name another"
        case "AccessDenied":
            return
                "; the keys need s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload, "
                + "s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts there"
        case "ExpiredToken", "InvalidToken":
            return
                "; the session is over: give new keys and a new 'session_token', or name a file that is renewed with 'keys_file'"
        case "InvalidAccessKeyId", "SignatureDoesNotMatch": return "; look at 'access_key' and 'secret_key'"
        case "RequestTimeTooSkewed": return "; this machine's clock is wrong"
        default: return status == 403 && !settings.hasKeys ? "; no keys were given" : ""
        }
    }
}

extension Sequence<UInt8> {
    fileprivate func contains(subsequence text: String) -> Bool {
        let (bytes, wanted) = (Array(self), Array(text.utf8))
        guard bytes.count >= wanted.count else { return false }
        return (0...(bytes.count - wanted.count)).contains { bytes[$0..<($0 + wanted.count)].elementsEqual(wanted) }
    }
}
