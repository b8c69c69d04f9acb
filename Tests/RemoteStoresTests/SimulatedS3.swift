import Base
import RemoteStores
import Synchronization
import TestKit

/// A bucket in memory, as far as an export asks it, with S3's habits: keys are flat, an upload is seen by nobody before it is completed and its id is gone
/// then, a completion may answer 200 and say an error, and what was sent may take effect though no answer came, at once or later.
final class SimulatedS3: Sendable {
    /// What happens to one request.
    enum Fault: Sendable, CaseIterable {
        /// Nothing is sent.
        case refused
        /// It takes effect; its answer is lost.
        case answerLost
        /// It has no effect, and no answer comes.
        case lost
        /// It takes effect only later, after requests that were sent after it; its answer is lost.
        case delayed
        /// `503 SlowDown`, without an effect.
        case slowDown
        /// It takes effect; a gateway answers 504.
        case gatewayTimeout
        /// 200 with an error in its body, as a completion may answer; for others as `slowDown`.
        case errorInside
    }

    struct Object: Equatable {
        var bytes: [UInt8]
        var mark: String?
    }

    struct Upload {
        var key: String
        var mark: String?
        var parts: [Int: (etag: String, bytes: [UInt8])] = [:]
    }

    private struct State {
        var objects: [String: Object] = [:]
        var uploads: [String: Upload] = [:]
        var count = 0
        var requestCount = 0
        var delayed: [(call: HTTPCall, at: Int)] = []
    }

    private let state = Mutex(State())
    private let ignoresConditions: Bool
    private let pageKeysMax: Int

    /// - Parameters:
    ///   - ignoresConditions: `If-None-Match` is not looked at, as stores of before 2024 do.
    ///   - pageKeysMax: a listing's page holds no more.
    init(ignoresConditions: Bool = false, pageKeysMax: Int = 3) {
        self.ignoresConditions = ignoresConditions
        self.pageKeysMax = pageKeysMax
    }

    func objects(below prefix: String) -> [String: [UInt8]] {
        state.withLock { $0.objects.filter { $0.key.hasPrefix(prefix) }.mapValues(\.bytes) }
    }

    func remove(_ key: String) { state.withLock { $0.objects[key] = nil } }

    func put(_ key: String, _ bytes: [UInt8]) { state.withLock { $0.objects[key] = Object(bytes: bytes) } }

    /// What a lifecycle rule does.
    func abortAllUploads() { state.withLock { $0.uploads = [:] } }

    /// Keys of the uploads that are under way and hold parts.
    var uploadedKeys: [String] {
        state.withLock { $0.uploads.values.filter { !$0.parts.isEmpty }.map(\.key).sorted() }
    }

    /// One owner's view: faults come to its own requests only.
    func transport(_ faults: @escaping @Sendable (Int, HTTPCall) -> Fault? = { _, _ in nil }) -> Transport {
        Transport(s3: self, faults: faults)
    }

    final class Transport: HTTPTransport {
        private let s3: SimulatedS3
        private let faults: @Sendable (Int, HTTPCall) -> Fault?
        private let count = Mutex(0)
        private let killedAt = Mutex<Int?>(nil)

        init(s3: SimulatedS3, faults: @escaping @Sendable (Int, HTTPCall) -> Fault?) {
            self.s3 = s3
            self.faults = faults
        }

        /// Requests of this owner so far.
        var requestCount: Int { count.withLock { $0 } }

        /// The owner dies at its request of that number: it is never sent, nor any later one.
        func kill(at number: Int) { killedAt.withLock { $0 = number } }

        func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
            let number = count.withLock { count in
                count += 1
                return count
            }
            if let at = killedAt.withLock({ $0 }), number >= at {
                throw HTTPFailure(isUnsent: false, reason: "this owner was killed")
            }
            return try await s3.answer(call, faults(number, call))
        }
    }

    // MARK: - Answering

    private func answer(_ call: HTTPCall, _ fault: Fault?) async throws(HTTPFailure) -> HTTPAnswer {
        await Task.yield()
        let result: Result<HTTPAnswer, HTTPFailure> = state.withLock { state in
            state.requestCount += 1
            for (late, _) in state.delayed.filter({ $0.at <= state.requestCount }) { _ = perform(late, &state) }
            state.delayed.removeAll { $0.at <= state.requestCount }
            switch fault {
            case nil: return .success(perform(call, &state))
            case .refused: return .failure(HTTPFailure(isUnsent: true, reason: "connection refused"))
            case .slowDown: return .success(Self.error(503, "SlowDown"))
            case .gatewayTimeout:
                _ = perform(call, &state)
                return .success(HTTPAnswer(status: 504, body: Array("<html>".utf8)))
            case .errorInside:
                let isCompletion = call.method == "POST" && call.url.contains("uploadId=")
                return .success(isCompletion ? Self.error(200, "InternalError") : Self.error(503, "SlowDown"))
            case .answerLost: _ = perform(call, &state)
            case .lost: break
            case .delayed: state.delayed.append((call, state.requestCount + 7))
            }
            return .failure(HTTPFailure(isUnsent: false, reason: "connection reset by peer"))
        }
        return try result.get()
    }

    private func perform(_ call: HTTPCall, _ state: inout State) -> HTTPAnswer {
        let url = S3URL(call.url)
        var body: [UInt8] = []
        if case .bytes(let bytes) = call.body { body = bytes }
        let isConditional = !ignoresConditions && Self.header(call, "if-none-match") == "*"
        let id = url.query["uploadId"]
        switch (call.method, url.key.isEmpty) {
        case ("GET", true): return url.query["uploads"] == nil ? list(url, state) : listUploads(url, state)
        case ("GET", false) where id != nil:
            return state.uploads[id ?? ""] == nil
                ? Self.error(404, "NoSuchUpload") : Self.xml("<ListPartsResult></ListPartsResult>")
        case ("GET", false): return get(url.key, Self.header(call, "range"), state)
        case ("HEAD", false):
            guard let object = state.objects[url.key] else { return HTTPAnswer(status: 404) }
            var headers = [HTTPHeader("content-length", String(object.bytes.count))]
            if let mark = object.mark { headers.append(HTTPHeader("x-amz-meta-millrace", mark)) }
            return HTTPAnswer(status: 200, headers: headers)
        case ("PUT", false) where id != nil:
            guard let number = Int(url.query["partNumber"] ?? ""), state.uploads[id ?? ""] != nil else {
                return Self.error(404, "NoSuchUpload")
            }
            let etag = "\"\(CRC32C.checksum(body))-\(body.count)\""
            state.uploads[id ?? ""]?.parts[number] = (etag, body)
            return HTTPAnswer(status: 200, headers: [HTTPHeader("ETag", etag)])
        case ("PUT", false):
            if isConditional, state.objects[url.key] != nil { return Self.error(412, "PreconditionFailed") }
            state.objects[url.key] = Object(bytes: body, mark: Self.header(call, "x-amz-meta-millrace"))
            return HTTPAnswer(status: 200)
        case ("POST", false) where id != nil: return complete(url.key, id ?? "", body, isConditional, &state)
        case ("POST", false) where url.query["uploads"] != nil:
            state.count += 1
            let id = "upload-\(state.count)"
            state.uploads[id] = Upload(key: url.key, mark: Self.header(call, "x-amz-meta-millrace"))
            return Self.xml(
                "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>")
        case ("DELETE", false):
            if let id { return HTTPAnswer(status: state.uploads.removeValue(forKey: id) == nil ? 404 : 204) }
            state.objects[url.key] = nil
            return HTTPAnswer(status: 204)
        default: return Self.error(501, "NotImplemented")
        }
    }

    private func complete(
        _ key: String, _ id: String, _ body: [UInt8], _ isConditional: Bool, _ state: inout State
    ) -> HTTPAnswer {
        guard let upload = state.uploads[id], upload.key == key else { return Self.error(404, "NoSuchUpload") }
        if isConditional, state.objects[key] != nil { return Self.error(412, "PreconditionFailed") }
        let text = String(decoding: body, as: UTF8.self)
        var bytes: [UInt8] = []
        for (number, part) in upload.parts.sorted(by: { $0.key < $1.key }) {
            let etag = part.etag.split(separator: "\"").joined()
            guard text.contains("<Part><PartNumber>\(number)</PartNumber><ETag>&quot;\(etag)&quot;</ETag></Part>")
            else { return Self.error(400, "InvalidPart") }
            bytes += part.bytes
        }
        state.uploads[id] = nil
        state.objects[key] = Object(bytes: bytes, mark: upload.mark)
        return Self.xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
    }

    private func get(_ key: String, _ range: String?, _ state: State) -> HTTPAnswer {
        guard let object = state.objects[key] else { return Self.error(404, "NoSuchKey") }
        guard let bounds = range?.dropFirst("bytes=".count).split(separator: "-").compactMap({ Int($0) }),
            bounds.count == 2
        else { return HTTPAnswer(status: 200, body: object.bytes) }
        guard bounds[0] < object.bytes.count else { return Self.error(416, "InvalidRange") }
        return HTTPAnswer(status: 206, body: Array(object.bytes.dropFirst(bounds[0]).prefix(bounds[1] - bounds[0] + 1)))
    }

    private func list(_ url: S3URL, _ state: State) -> HTTPAnswer {
        let prefix = url.query["prefix"] ?? ""
        let after = max(url.query["start-after"] ?? "", url.query["continuation-token"] ?? "")
        let keysMax = min(pageKeysMax, Int(url.query["max-keys"] ?? "") ?? 1000)
        var entries: [String: Int?] = [:]
        for (key, object) in state.objects where key.hasPrefix(prefix) {
            let rest = key.dropFirst(prefix.count)
            if url.query["delimiter"] == "/", let slash = rest.firstIndex(of: "/") {
                entries[prefix + rest[...slash]] = .some(nil)
            } else {
                entries[key] = object.bytes.count
            }
        }
        let found = entries.filter { $0.key > after }.sorted { $0.key < $1.key }
        var text = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        for (key, length) in found.prefix(keysMax) {
            if let length {
                text += "<Contents><Key>\(key)</Key><Size>\(length)</Size></Contents>"
            } else {
                text += "<CommonPrefixes><Prefix>\(key)</Prefix></CommonPrefixes>"
            }
        }
        text += "<IsTruncated>\(found.count > keysMax)</IsTruncated>"
        if found.count > keysMax {
            text += "<NextContinuationToken>\(found[keysMax - 1].key)</NextContinuationToken>"
        }
        return Self.xml(text + "</ListBucketResult>")
    }

    private func listUploads(_ url: S3URL, _ state: State) -> HTTPAnswer {
        let prefix = url.query["prefix"] ?? ""
        let uploads = state.uploads.filter { $0.value.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
        var text = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>"
        for (id, upload) in uploads { text += "<Upload><Key>\(upload.key)</Key><UploadId>\(id)</UploadId></Upload>" }
        return Self.xml(text + "</ListMultipartUploadsResult>")
    }

    // MARK: - Texts

    private static func header(_ call: HTTPCall, _ name: String) -> String? {
        call.headers.first { $0.name == name }?.value
    }

    private static func xml(_ text: String) -> HTTPAnswer { HTTPAnswer(status: 200, body: Array(text.utf8)) }

    private static func error(_ status: Int, _ code: String) -> HTTPAnswer {
        HTTPAnswer(
            status: status,
            body: Array("<Error><Code>\(code)</Code><Message>as the test wants it</Message></Error>".utf8))
    }
}

/// A URL in path style taken apart.
private struct S3URL {
    var key: String
    var query: [String: String] = [:]

    init(_ url: String) {
        let afterHost = url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        let parts = afterHost.split(separator: "?", maxSplits: 1)
        key = Self.decoded(parts[0].dropFirst().drop { $0 != "/" }.dropFirst())
        for option in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = option.split(separator: "=", maxSplits: 1)
            query[Self.decoded(pair[0])] = pair.count > 1 ? Self.decoded(pair[1]) : ""
        }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
