import AsyncHTTPClient
import Base
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Requests by AsyncHTTPClient: connections are pooled, redirects are not followed.
public struct ClientTransport: HTTPTransport {
    public struct Settings: Sendable, Hashable {
        public var connectTimeout = Duration.seconds(10)
        /// Without a byte in either direction.
        public var idleTimeout = Duration.seconds(60)
        /// Tries to connect again within the connect timeout. False where whoever asks tries again by itself.
        public var retriesConnections = true
        /// A file of certificates to trust instead of the system's.
        public var certificateAuthority: String?

        public init() {}
    }

    private static let pieceByteCount = 256 << 10

    /// Clients live as long as the process, one for each distinct setting: they must be shut down before they go, and a store has no end
    /// of its own to do it at.
    private static let clients = Clients()
    private let client: HTTPClient

    public init(_ settings: Settings = Settings()) { client = Self.clients.client(for: settings) }

    public func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
        var request = HTTPClientRequest(url: call.url)
        request.method = .init(rawValue: call.method)
        request.headers.add(name: "user-agent", value: "millrace")
        for header in call.headers { request.headers.add(name: header.name, value: header.value) }
        if case .none = call.body {
        } else if !request.headers.contains(name: "content-type") {
            request.headers.add(name: "content-type", value: "application/octet-stream")
        }
        switch call.body {
        case .none: break
        case .bytes(let bytes): request.body = .bytes(bytes)
        case .file(let file, let length):
            request.body = .stream(
                FilePieces(file: file, length: length, pieceByteCount: Self.pieceByteCount), length: .known(length))
        }
        do {
            // What a request takes in all is not limited, for files are large: a connection that stands still is.
            let response = try await client.execute(request, timeout: .hours(24))
            let body = try await response.body.collect(upTo: call.answerBytesMax.bytes)
            return HTTPAnswer(
                status: Int(response.status.code), headers: response.headers.map { HTTPHeader($0.name, $0.value) },
                body: Array(body.readableBytesView))
        } catch {
            throw HTTPFailure(isUnsent: Self.isUnsent(error), reason: Self.reason(error))
        }
    }

    private static func isUnsent(_ error: any Error) -> Bool {
        if error is NIOConnectionError { return true }
        guard let error = error as? HTTPClientError else { return false }
        return error == .connectTimeout || error == .getConnectionFromPoolTimeout || error == .invalidURL
            || error == .tlsHandshakeTimeout || error == .emptyHost
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError, let first = error.connectionErrors.first {
            return "\(first.error)"
        }
        return "\(error)"
    }
}

/// A file's bytes, a piece at a time, as fast as they are taken.
private struct FilePieces: AsyncSequence, Sendable {
    let file: any File
    let length: Int64
    let pieceByteCount: Int

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: FilePieces
        var position: Int64 = 0

        mutating func next() async throws -> ByteBuffer? {
            let wanted = Int(Swift.min(pieces.length - position, Int64(pieces.pieceByteCount)))
            guard wanted > 0 else { return nil }
            var buffer = ByteBufferAllocator().buffer(capacity: wanted)
            let (file, start) = (pieces.file, position)
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                try file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]), at: start)
            }
            // A spooled file that became shorter: the request must fail, not end early.
            guard count > 0 else { throw FileError(.inputOutput, .read, "spool", detail: "it ended early") }
            position += Int64(count)
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self) }
}

private final class Clients: Sendable {
    private let made = Mutex<[ClientTransport.Settings: HTTPClient]>([:])

    func client(for settings: ClientTransport.Settings) -> HTTPClient {
        made.withLock { made in
            if let client = made[settings] { return client }
            var configuration = HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: .init(
                    connect: .nanoseconds(settings.connectTimeout.nanoseconds),
                    read: .nanoseconds(settings.idleTimeout.nanoseconds),
                    write: .nanoseconds(settings.idleTimeout.nanoseconds)))
            configuration.httpVersion = .http1Only
            configuration.connectionPool.retryConnectionEstablishment = settings.retriesConnections
            if let path = settings.certificateAuthority {
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.trustRoots = .file(path)
                configuration.tlsConfiguration = tls
            }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            made[settings] = client
            return client
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
