import Base
import Events
import RemoteStores
import Synchronization
import TestKit

/// A name node and its data nodes in memory, as far as an export asks them, with WebHDFS's habits: a failed rename is a 200 that says false, an
/// upload that was cut short is a closed, readable, shorter file, and folders above a file are made with it.
final class SimulatedHDFS: Sendable {
    /// What happens to one request.
    enum Fault: Sendable, CaseIterable {
        /// Nothing is sent.
        case refused
        /// It takes effect; its answer is lost.
        case answerLost
        /// An upload stops in the middle, for others as `answerLost`.
        case cutShort
        /// It takes effect only later, after requests that were sent after it; its answer is lost.
        case delayed
        /// The name node is a standby, or in safe mode.
        case standby
    }

    /// Hadoop 2 redirects whatever it is asked; Hadoop 3 says the place in its answer where `noredirect` is set.
    enum Generation: Sendable { case hadoop2, hadoop3 }

    enum Node { case folder, file([UInt8]) }

    private struct State {
        var nodes: [String: Node] = ["/": .folder]
        var requestCount = 0
        var delayed: [(call: HTTPCall, at: Int)] = []
        var replacesOnRename = false
    }

    private let state = Mutex(State())
    private let generation: Generation
    private static let dataNode = "http://datanode-1.internal:9864"

    init(_ generation: Generation = .hadoop3, replacesOnRename: Bool = false) {
        self.generation = generation
        state.withLock { $0.replacesOnRename = replacesOnRename }
    }

    var requestCount: Int { state.withLock { $0.requestCount } }

    /// All files below a folder, by path.
    func files(below folder: String) -> [String: [UInt8]] {
        state.withLock { state in
            var found: [String: [UInt8]] = [:]
            for (path, node) in state.nodes where path.hasPrefix(folder + "/") {
                if case .file(let bytes) = node { found[path] = bytes }
            }
            return found
        }
    }

    /// One owner's view: faults come to its own requests only.
    func transport(_ faults: @escaping @Sendable (Int, HTTPCall) -> Fault? = { _, _ in nil }) -> Transport {
        Transport(hdfs: self, faults: faults)
    }

    final class Transport: HTTPTransport {
        private let hdfs: SimulatedHDFS
        private let faults: @Sendable (Int, HTTPCall) -> Fault?
        private let count = Mutex(0)
        private let killedAt = Mutex<Int?>(nil)

        init(hdfs: SimulatedHDFS, faults: @escaping @Sendable (Int, HTTPCall) -> Fault?) {
            self.hdfs = hdfs
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
            return try await hdfs.answer(call, faults(number, call))
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
            case .standby:
                return .success(Self.exception(403, "StandbyException", "Operation category WRITE is not supported"))
            case .answerLost: _ = perform(call, &state)
            case .cutShort: _ = perform(cut(call), &state)
            case .delayed: state.delayed.append((call, state.requestCount + 7))
            }
            return .failure(HTTPFailure(isUnsent: false, reason: "connection reset by peer"))
        }
        return try result.get()
    }

    private func cut(_ call: HTTPCall) -> HTTPCall {
        var call = call
        switch call.body {
        case .none: break
        case .bytes(let bytes): call.body = .bytes(Array(bytes.prefix(bytes.count / 2)))
        case .file(let file, let length): call.body = .file(file, length: length / 2)
        }
        return call
    }

    private func perform(_ call: HTTPCall, _ state: inout State) -> HTTPAnswer {
        let url = Request(call.url)
        let isData = call.url.hasPrefix(Self.dataNode)
        switch (call.method, url.operation, isData) {
        case ("PUT", "MKDIRS", false): return makeFolder(url.path, &state)
        case ("PUT", "CREATE", false), ("GET", "OPEN", false):
            if url.operation == "OPEN", case .file? = state.nodes[url.path] {
            } else if url.operation == "OPEN" {
                return Self.missing(url.path)
            }
            return redirect(call.url)
        case ("PUT", "CREATE", true): return create(url, call.body, &state)
        case ("GET", "OPEN", true): return open(url, &state)
        case ("GET", "GETFILESTATUS", false):
            guard let node = state.nodes[url.path] else { return Self.missing(url.path) }
            return Self.json([Field("FileStatus", Self.status("", node))])
        case ("GET", "LISTSTATUS", false):
            guard case .folder? = state.nodes[url.path] else { return Self.missing(url.path) }
            let inside = state.nodes.filter { $0.key != "/" && Self.parent($0.key) == url.path }
            let statuses = inside.sorted { $0.key < $1.key }.map { path, node in
                Self.status(String(path.dropFirst(url.path.count + 1)), node)
            }
            return Self.json([Field("FileStatuses", .object([Field("FileStatus", .list(statuses))]))])
        case ("PUT", "RENAME", false): return Self.boolean(rename(url.path, url.options["destination"] ?? "", &state))
        case ("DELETE", "DELETE", false):
            let gone = state.nodes.keys.filter { $0 == url.path || $0.hasPrefix(url.path + "/") }
            for path in gone { state.nodes[path] = nil }
            return Self.boolean(!gone.isEmpty)
        default: return Self.exception(400, "UnsupportedOperationException", "\(call.method) \(url.operation)")
        }
    }

    private func makeFolder(_ path: String, _ state: inout State) -> HTTPAnswer {
        var at = path
        while at != "/" && !at.isEmpty {
            if case .file? = state.nodes[at] {
                return Self.exception(403, "FileAlreadyExistsException", "\(at) is a file")
            }
            state.nodes[at] = .folder
            at = Self.parent(at)
        }
        return Self.boolean(true)
    }

    private func create(_ url: Request, _ body: HTTPCall.Body, _ state: inout State) -> HTTPAnswer {
        if state.nodes[url.path] != nil, url.options["overwrite"] != "true" {
            return Self.exception(403, "FileAlreadyExistsException", "\(url.path) for client 127.0.0.1 already exists")
        }
        _ = makeFolder(Self.parent(url.path), &state)
        switch body {
        case .none: state.nodes[url.path] = .file([])
        case .bytes(let bytes): state.nodes[url.path] = .file(bytes)
        case .file(let file, let length):
            var bytes = [UInt8](repeating: 0, count: Int(length))
            let count = bytes.withUnsafeMutableBytes { (try? file.read(into: $0, at: 0)) ?? 0 }
            state.nodes[url.path] = .file(Array(bytes.prefix(count)))
        }
        return HTTPAnswer(status: 201)
    }

    private func open(_ url: Request, _ state: inout State) -> HTTPAnswer {
        guard case .file(let bytes)? = state.nodes[url.path] else { return Self.missing(url.path) }
        let offset = Int(url.options["offset"] ?? "") ?? 0
        let length = Int(url.options["length"] ?? "") ?? bytes.count
        return HTTPAnswer(status: 200, body: Array(bytes.dropFirst(offset).prefix(length)))
    }

    private func rename(_ path: String, _ target: String, _ state: inout State) -> Bool {
        guard case .file? = state.nodes[path], case .folder? = state.nodes[Self.parent(target)],
            state.replacesOnRename || state.nodes[target] == nil
        else { return false }
        state.nodes[target] = state.nodes.removeValue(forKey: path)
        return true
    }

    private func redirect(_ url: String) -> HTTPAnswer {
        let place = Self.dataNode + url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        switch generation {
        case .hadoop2: return HTTPAnswer(status: 307, headers: [HTTPHeader("Location", place)])
        case .hadoop3: return Self.json([Field("Location", .string(place))])
        }
    }

    // MARK: - Texts

    private static func parent(_ path: String) -> String {
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        return parent.isEmpty ? "/" : parent
    }

    private static func status(_ name: String, _ node: Node) -> Value {
        switch node {
        case .folder:
            .object([Field("pathSuffix", .string(name)), Field("type", .string("DIRECTORY")), Field("length", .int(0))])
        case .file(let bytes):
            .object([
                Field("pathSuffix", .string(name)), Field("type", .string("FILE")),
                Field("length", .int(Int64(bytes.count))),
            ])
        }
    }

    private static func json(_ fields: [Field], status: Int = 200) -> HTTPAnswer {
        HTTPAnswer(status: status, body: Array(Value.object(fields).json.utf8))
    }

    private static func boolean(_ value: Bool) -> HTTPAnswer { json([Field("boolean", .bool(value))]) }

    private static func missing(_ path: String) -> HTTPAnswer {
        exception(404, "FileNotFoundException", "File does not exist: \(path)")
    }

    private static func exception(_ status: Int, _ kind: String, _ message: String) -> HTTPAnswer {
        let fields = [Field("exception", .string(kind)), Field("message", .string(message))]
        return json([Field("RemoteException", .object(fields))], status: status)
    }
}

/// A WebHDFS URL taken apart.
private struct Request {
    var path: String
    var operation: String
    var options: [String: String] = [:]

    init(_ url: String) {
        let afterHost = url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }
        let parts = afterHost.split(separator: "?", maxSplits: 1)
        path = Self.decoded(parts[0].dropFirst("/webhdfs/v1".count))
        for option in parts[1].split(separator: "&") {
            let pair = option.split(separator: "=", maxSplits: 1)
            options[String(pair[0])] = pair.count > 1 ? Self.decoded(pair[1]) : ""
        }
        operation = options["op"] ?? ""
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
