import Base
import Events
import Exports
import Synchronization

/// A file or folder as the name node describes it.
struct WebHDFSStatus: Sendable, Equatable {
    var name: String
    var isFolder: Bool
    var length: Int64
}

/// The operations of WebHDFS that an export needs, over any transport.
///
/// What may be repeated is repeated while no answer comes or the name node says that it can't just now (a standby, safe mode, a failover).
/// A rename may not: its error is `.unanswered` where its effect is unknown.
/// Source: Hadoop's "WebHDFS REST API", as 2.7 and 3.x serve it.
final class WebHDFSClient: Sendable {
    let settings: WebHDFSSettings
    private let transport: any HTTPTransport
    private let sleep: @Sendable (Duration) async throws -> Void
    private let active = Atomic<Int>(0)

    private static let listBytesMax = ByteCount.mib(64)
    private static let pauseMax = Duration.seconds(5)

    init(
        _ settings: WebHDFSSettings, transport: any HTTPTransport,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.settings = settings
        self.transport = transport
        self.sleep = sleep
    }

    // MARK: - Operations

    /// Nil where nothing has that name.
    func status(_ path: String) async throws(ExportError) -> WebHDFSStatus? {
        guard let answer = try await call("GET", path, "GETFILESTATUS") else { return nil }
        return try Self.status(Self.object(answer, path)["FileStatus"], path)
    }

    /// What stands in a folder; nothing where there is none.
    func list(_ path: String) async throws(ExportError) -> [WebHDFSStatus] {
        guard let answer = try await call("GET", path, "LISTSTATUS", answerBytesMax: Self.listBytesMax) else {
            return []
        }
        guard case .object(let statuses) = try Self.object(answer, path)["FileStatuses"],
            case .list(let elements) = Event(statuses)["FileStatus"]
        else { throw Self.strange(path, "LISTSTATUS", answer) }
        var found: [WebHDFSStatus] = []
        for element in elements { found.append(try Self.status(element, path)) }
        return found
    }

    /// Makes the folder and those above it; one that stands is fine.
    func makeFolder(_ path: String) async throws(ExportError) {
        guard let answer = try await call("PUT", path, "MKDIRS"), try Self.boolean(answer, path, "MKDIRS") else {
            throw ExportError(.store, "\(name(path)) can't be made; does a file of that name stand there?")
        }
    }

    /// True where the file was renamed; false where it is not there, or its new name is taken, or the folder of its new name is missing.
    /// - Throws: `.unanswered` where it may have been renamed.
    func rename(_ path: String, to target: String) async throws(ExportError) -> Bool {
        let option = "destination=\(Self.encoded(settings.path + target))"
        guard let answer = try await call("PUT", path, "RENAME", option, isRepeatable: false) else { return false }
        return try Self.boolean(answer, path, "RENAME")
    }

    /// Deletes the file or the folder with all that is in it; nothing there is fine.
    func delete(_ path: String) async throws(ExportError) {
        _ = try await call("DELETE", path, "DELETE", "recursive=true")
    }

    /// At most `length` bytes from `position` on; nil where there is no such file.
    func read(_ path: String, from position: Int64 = 0, length: Int) async throws(ExportError) -> [UInt8]? {
        let options = "offset=\(position)&length=\(length)&noredirect=true"
        for attempt in 1...settings.triesMax {
            guard let first = try await call("GET", path, "OPEN", options) else { return nil }
            let call = HTTPCall("GET", try location(first, path), answerBytesMax: .bytes(length))
            let failure: String
            do throws(HTTPFailure) {
                let answer = try await transport.send(call)
                if answer.status == 200 { return answer.body }
                if Self.isMissing(answer) { return nil }
                failure = RemoteException(answer).text
            } catch { failure = error.reason }
            try await pause(attempt, "\(name(path)) can't be read: \(failure)")
        }
        return nil
    }

    /// Writes a new file. One upload, one name: a name is never used again, for an earlier upload may still be under way.
    /// - Throws: where it failed; what stands under the name is then anything from nothing to all of it.
    func upload(_ body: HTTPCall.Body, to path: String) async throws(ExportError) {
        let options = "overwrite=false&noredirect=true"
        // An empty body: data goes to the data node only.
        guard let first = try await call("PUT", path, "CREATE", options) else {
            throw ExportError(.store, "\(name(path)) can't be created: the name node knows nothing of it")
        }
        do throws(HTTPFailure) {
            let answer = try await transport.send(HTTPCall("PUT", try locationOrFail(first, path), body: body))
            guard answer.status == 201 || answer.status == 200 else {
                throw HTTPFailure(isUnsent: false, reason: RemoteException(answer).text)
            }
        } catch { throw ExportError(.store, "\(name(path)) can't be uploaded: \(error.reason)") }
    }

    /// `hdfs://nn:9870/logs/x`, for messages.
    func name(_ path: String) -> String {
        "\(settings.usesTLS ? "swebhdfs" : "hdfs")://\(settings.nameNodes[0])\(settings.path)\(path)"
    }

    // MARK: - Requests

    /// The answer, or nil for a file that is not there.
    private func call(
        _ method: String, _ path: String, _ operation: String, _ options: String = "", isRepeatable: Bool = true,
        answerBytesMax: ByteCount = .mib(1)
    ) async throws(ExportError) -> HTTPAnswer? {
        for attempt in 1... {
            let nameNode = active.load(ordering: .relaxed)
            let url = url(settings.nameNodes[nameNode], path, operation, options)
            let failure: String
            switch await send(HTTPCall(method, url, answerBytesMax: answerBytesMax)) {
            case .success(let answer):
                if (200..<400).contains(answer.status) { return answer }
                if Self.isMissing(answer) { return nil }
                let exception = RemoteException(answer)
                guard exception.isPassing else {
                    throw ExportError(.store, "\(name(path)): \(operation): \(exception.text)\(exception.hint)")
                }
                failure = exception.text
            case .failure(let error):
                guard isRepeatable || error.isUnsent else {
                    throw ExportError(.unanswered, "\(name(path)): \(operation): \(error.reason)")
                }
                failure = error.reason
            }
            // Another may be the active one.
            _ = active.compareExchange(
                expected: nameNode, desired: (nameNode + 1) % settings.nameNodes.count, ordering: .relaxed)
            guard attempt < settings.triesMax * settings.nameNodes.count else {
                throw ExportError(.store, "\(name(path)): \(operation): \(failure)")
            }
            if attempt % settings.nameNodes.count == 0 {
                try await pause(attempt / settings.nameNodes.count, "\(name(path)): \(operation): \(failure)")
            }
        }
        preconditionFailure("tries have an end")
    }

    private func send(_ call: HTTPCall) async -> Result<HTTPAnswer, HTTPFailure> {
        do throws(HTTPFailure) { return .success(try await transport.send(call)) } catch { return .failure(error) }
    }

    /// Waits before try number `attempt` + 1; throws the reason where that was the last.
    private func pause(_ attempt: Int, _ reason: @autoclosure () -> String) async throws(ExportError) {
        guard attempt < settings.triesMax else { throw ExportError(.store, reason()) }
        do { try await sleep(min(.milliseconds(100) * (1 << min(attempt, 6)), Self.pauseMax)) } catch {
            throw ExportError(.store, reason())
        }
    }

    private func url(_ nameNode: String, _ path: String, _ operation: String, _ options: String) -> String {
        var url = "\(settings.usesTLS ? "https" : "http")://\(nameNode)/webhdfs/v1"
        url += Self.encodedPath(settings.path + path) + "?op=\(operation)"
        if let token = settings.token {
            url += "&delegation=\(Self.encoded(token))"
        } else {
            url += "&user.name=\(Self.encoded(settings.user))"
        }
        return options.isEmpty ? url : "\(url)&\(options)"
    }

    /// Where the data is read or written: a header before Hadoop 2.8, a field of the answer since.
    private func location(_ answer: HTTPAnswer, _ path: String) throws(ExportError) -> String {
        do throws(HTTPFailure) { return try locationOrFail(answer, path) } catch {
            throw ExportError(.store, "\(name(path)): \(error.reason)")
        }
    }

    private func locationOrFail(_ answer: HTTPAnswer, _ path: String) throws(HTTPFailure) -> String {
        var location = answer.header("location")
        if location == nil, case .object(let fields)? = try? JSON.parse(answer.body),
            case .string(let text) = Event(fields)["Location"]
        {
            location = text
        }
        guard let location, let url = mapped(location) else {
            throw HTTPFailure(isUnsent: true, reason: "the name node doesn't say which data node to ask")
        }
        return url
    }

    /// The URL with its host as `hosts` maps it; nil for what is no HTTP URL.
    private func mapped(_ url: String) -> String? {
        for scheme in ["http://", "https://"] where url.hasPrefix(scheme) {
            let rest = url.dropFirst(scheme.utf8.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let host = authority.prefix { $0 != ":" }
            guard let mapped = settings.hosts[String(host)] else { return url }
            let port = mapped.contains(":") ? "" : String(authority.dropFirst(host.count))
            return scheme + mapped + port + rest.dropFirst(authority.count)
        }
        return nil
    }

    // MARK: - Text

    static func encoded(_ text: String) -> String { PercentEncoding.encoded(text) }

    private static func encodedPath(_ path: String) -> String {
        // `=` stands in Hive's folders, and a path may hold it as it is.
        PercentEncoding.encoded(path, keeping: [UInt8(ascii: "/"), UInt8(ascii: "=")])
    }

    // MARK: - Answers

    private static func isMissing(_ answer: HTTPAnswer) -> Bool {
        answer.status == 404 && RemoteException(answer).kind == "FileNotFoundException"
    }

    private static func object(_ answer: HTTPAnswer, _ path: String) throws(ExportError) -> Event {
        guard case .object(let fields)? = try? JSON.parse(answer.body) else { throw strange(path, "", answer) }
        return Event(fields)
    }

    private static func boolean(_ answer: HTTPAnswer, _ path: String, _ operation: String) throws(ExportError) -> Bool {
        guard case .bool(let isDone) = try object(answer, path)["boolean"] else {
            throw strange(path, operation, answer)
        }
        return isDone
    }

    private static func status(_ value: Value, _ path: String) throws(ExportError) -> WebHDFSStatus {
        guard case .object(let fields) = value, case .string(let name) = Event(fields)["pathSuffix"],
            case .string(let type) = Event(fields)["type"], case .int(let length) = Event(fields)["length"]
        else { throw ExportError(.store, "\(path): the name node's answer has no status of a file") }
        return WebHDFSStatus(name: name, isFolder: type == "DIRECTORY", length: length)
    }

    private static func strange(_ path: String, _ operation: String, _ answer: HTTPAnswer) -> ExportError {
        let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
        return ExportError(.store, "\(path): \(operation): WebHDFS answered \(answer.status) with '\(text)'")
    }
}

/// What a node says is wrong.
struct RemoteException {
    let status: Int
    let kind: String
    let message: String

    init(_ answer: HTTPAnswer) {
        status = answer.status
        if case .object(let fields)? = try? JSON.parse(answer.body),
            case .object(let inner) = Event(fields)["RemoteException"]
        {
            if case .string(let text) = Event(inner)["exception"] { kind = text } else { kind = "" }
            if case .string(let text) = Event(inner)["message"] {
                // The first line says it; a stack of Java follows.
                message = String(text.prefix { $0 != "\n" }.prefix(300))
            } else {
                message = ""
            }
        } else {
            kind = ""
            message = ""
        }
    }

    var text: String { kind.isEmpty ? "HTTP status \(status)" : "\(kind): \(message)" }

    /// True where the same request may succeed in a while, here or at another name node.
    var isPassing: Bool {
        switch kind {
        case "StandbyException", "RetriableException", "SafeModeException", "ConnectException",
            "NoRouteToHostException",
            "SocketTimeoutException":
            true
        case "": status >= 500 || status == 429 || status == 408
        default: false
        }
    }

    /// What a person can do.
    var hint: String {
        switch kind {
        case "AccessControlException": "; let the user write there, or name another with 'user'"
        case "SecurityException", "InvalidToken", "AuthenticationException":
            "; the cluster wants a delegation token: name one with 'token' (Kerberos itself is not spoken)"
        default: status == 401 ? "; the cluster wants a delegation token: name one with 'token'" : ""
        }
    }
}
