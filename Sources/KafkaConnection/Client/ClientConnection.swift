import Base
import KafkaWire
import NIOCore
import NIOPosix
import Synchronization

/// A client's connection to one broker: many requests under way, answered in the order they were sent.
///
/// Whatever goes wrong with the stream (a timeout, a wrong answer, the peer's close) ends the connection and fails every request that waits;
/// make a new one then. It stays open until `close()` or until it breaks; dropping the reference does not close it.
public final class ClientConnection: Sendable {
    public let address: Address
    /// What the broker serves.
    public let versions: NegotiatedVersions
    private let channel: any Channel
    private let handler: ClientChannelHandler
    private let settings: ConnectionSettings
    private let correlation: CorrelationIDs
    private let onThrottle: (@Sendable (Duration) -> Void)?

    private init(
        address: Address, versions: NegotiatedVersions, channel: any Channel, handler: ClientChannelHandler,
        settings: ConnectionSettings, correlation: CorrelationIDs, onThrottle: (@Sendable (Duration) -> Void)?
    ) {
        self.onThrottle = onThrottle
        self.address = address
        self.versions = versions
        self.channel = channel
        self.handler = handler
        self.settings = settings
        self.correlation = correlation
    }

    /// Connects and asks for the API versions. Throws `.connectFailed`, or what went wrong in the handshake.
    ///
    /// - Parameter onThrottle: told how long the broker wants nothing sent, each time that it says so. The connection heeds it by itself.
    public static func connect(
        to address: Address, on group: any EventLoopGroup, settings: ConnectionSettings = ConnectionSettings(),
        onThrottle: (@Sendable (Duration) -> Void)? = nil
    ) async throws(ClientError) -> ClientConnection {
        let secure: (@Sendable (any Channel) throws -> Void)?
        do throws(TransportFailure) { secure = try settings.security?.prepare(for: address) } catch {
            throw ClientError(.connectFailed, "can't connect to \(address): \(error)", cause: error)
        }
        // The channel itself may be gone again, and its pipeline with it: only the handler knows why.
        let handlers = MadeHandlers()
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(.nanoseconds(settings.connectTimeout.nanoseconds))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.socketOption(.so_keepalive), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try secure?(channel)
                        let handler = ClientChannelHandler(channel: channel, address: address, settings: settings)
                        try channel.pipeline.syncOperations.addHandler(handler)
                        handlers.keep(handler, of: channel)
                    }
                }
                .connect(host: address.host, port: address.port).get()
        } catch {
            throw ClientError(
                .connectFailed, "can't connect to \(address): \(ConnectFailure.words(error))", cause: error)
        }
        let handler = handlers.handler(of: channel)
        let correlation = CorrelationIDs()
        do throws(ClientError) {
            let versions = try await handshake(handler, address: address, settings: settings, correlation: correlation)
            let connection = ClientConnection(
                address: address, versions: versions, channel: channel, handler: handler, settings: settings,
                correlation: correlation, onThrottle: onThrottle)
            // Before anybody else may send.
            try await connection.authenticate()
            return connection
        } catch {
            handler.close(ClientError(.connectionClosed, "the handshake with \(address) failed"))
            throw error
        }
    }

    /// Asks in v3; a broker that knows only earlier ones answers in v0 with error 35, and is asked again in v0 (KIP-511).
    private static func handshake(
        _ handler: ClientChannelHandler, address: Address, settings: ConnectionSettings, correlation: CorrelationIDs
    ) async throws(ClientError) -> NegotiatedVersions {
        var request = ApiVersionsRequest()
        request.clientSoftwareName = settings.softwareName
        request.clientSoftwareVersion = settings.softwareVersion
        var version: Int16 = 3
        while true {
            let frame = try await exchange(
                request, version: version, timeout: settings.requestTimeout, handler: handler, settings: settings,
                correlation: correlation)
            let error = frame.getInteger(at: frame.readerIndex + 4, as: Int16.self).map(ErrorCode.init(rawValue:))
            if error == .unsupportedVersion && version > 0 {
                version = 0
                continue
            }
            let response = try decode(ApiVersionsRequest.self, from: frame, version: version, address: address)
            if let error = ClientError(response.errorCode, "ApiVersions of \(address)") { throw error }
            return NegotiatedVersions(response)
        }
    }

    // MARK: Requests

    /// Sends a request and waits for its answer.
    ///
    /// - Parameters:
    ///   - version: this one; by default the latest that both sides have, at most `versionMax`.
    ///   - timeout: by default the settings' request timeout. Reaching it closes the connection.
    /// - Throws: `.connectionClosed`, `.timedOut` (what the broker did is then unknown), `.unsupportedVersion`, `.cancelled`. Error codes inside the
    ///   answer are the caller's to look at.
    public func send<Request: WireRequest>(
        _ request: Request, version: Int16? = nil, versionMax: Int16? = nil, timeout: Duration? = nil
    ) async throws(ClientError) -> Request.Response {
        let version = try pick(version, versionMax, Request.self)
        let frame = try await Self.exchange(
            request, version: version, timeout: timeout ?? settings.requestTimeout, handler: handler,
            settings: settings,
            correlation: correlation)
        let response = try Self.decode(Request.self, from: frame, version: version, address: address)
        heedThrottle(of: response)
        return response
    }

    /// Sends a request without waiting: what is enqueued by one caller leaves in that order. The completion is called once, on the
    /// connection's event loop, and must not block it. Throws where the request can't be written; then nothing was sent.
    public func enqueue<Request: WireRequest>(
        _ request: Request, version: Int16? = nil, versionMax: Int16? = nil, timeout: Duration? = nil,
        completion: @escaping @Sendable (Result<Request.Response, ClientError>) -> Void
    ) throws(ClientError) {
        let version = try pick(version, versionMax, Request.self)
        let outgoing = try Self.outgoing(
            request, version: version, timeout: timeout ?? settings.requestTimeout, settings: settings,
            correlation: correlation
        ) { [self] result in
            switch result {
            case .success(let frame):
                do throws(ClientError) {
                    let response = try Self.decode(Request.self, from: frame, version: version, address: address)
                    heedThrottle(of: response)
                    completion(.success(response))
                } catch { completion(.failure(error)) }
            case .failure(let error): completion(.failure(error))
            }
        }
        handler.send(outgoing)
    }

    /// Sends a request that gets no answer: a Produce with acks=0.
    public func enqueueWithoutAnswer<Request: WireRequest>(
        _ request: Request, version: Int16? = nil, versionMax: Int16? = nil
    ) throws(ClientError) {
        let version = try pick(version, versionMax, Request.self)
        handler.send(
            try Self.outgoing(
                request, version: version, timeout: settings.requestTimeout, settings: settings,
                correlation: correlation, completion: nil))
    }

    // MARK: Authentication

    /// Says who the client is (KIP-43, KIP-152). Where the broker wants to hear it again within some time (KIP-368), the connection is retired before
    /// that: it takes no further requests and closes once those under way are answered; whoever needs another one makes it.
    private func authenticate() async throws(ClientError) {
        guard let authentication = settings.authentication else { return }
        var handshake = SaslHandshakeRequest()
        handshake.mechanism = authentication.mechanism
        let offer = try await send(handshake)
        guard offer.errorCode == .none else {
            let offered = offer.mechanisms.joined(separator: ", ")
            throw ClientError(
                .authenticationFailed,
                "\(address) does not serve \(authentication.mechanism); it serves \(offered.isEmpty ? "no SASL" : offered)",
                kafkaError: offer.errorCode)
        }
        var exchange = authentication.begin()
        var received: [UInt8]?
        var lifetime = Duration.zero
        while let message = try next(&exchange, received) {
            var request = SaslAuthenticateRequest()
            request.authBytes = ByteBuffer(bytes: message)
            let answer = try await send(request)
            guard answer.errorCode == .none else {
                throw ClientError(
                    .authenticationFailed, "\(address): \(answer.errorMessage ?? "\(answer.errorCode)")",
                    kafkaError: answer.errorCode)
            }
            received = Array(buffer: answer.authBytes)
            lifetime = .milliseconds(answer.sessionLifetimeMs)
        }
        if lifetime > .zero { handler.retire(after: lifetime * 0.85) }
    }

    private func next(
        _ exchange: inout any ClientExchange, _ received: [UInt8]?
    ) throws(ClientError) -> [UInt8]? {
        do throws(AuthenticationFailure) { return try exchange.next(received: received) } catch {
            throw ClientError(.authenticationFailed, "\(address): \(error)", cause: error)
        }
    }

    // MARK: Life

    /// False once it was closed or broke; requests then fail with `.connectionClosed`.
    public var isOpen: Bool { channel.isActive && !handler.isRetiring }

    /// Closes; requests that wait fail with `.connectionClosed`.
    public func close() { handler.close(ClientError(.connectionClosed, "the connection to \(address) was closed")) }

    /// Calls `body` once the connection has ended, on its event loop.
    public func whenClosed(_ body: @escaping @Sendable () -> Void) {
        channel.closeFuture.whenComplete { _ in body() }
    }

    /// Every broker that is supported answers at once and then reads nothing for that long, so what is sent meanwhile would run out of time.
    private func heedThrottle(of response: some WireResponse) {
        guard response.throttleTimeMs > 0 else { return }
        let duration = min(Duration.milliseconds(response.throttleTimeMs), settings.throttleMax)
        handler.mute(for: duration)
        onThrottle?(duration)
    }

    // MARK: Bytes

    private func pick<Request: WireRequest>(
        _ version: Int16?, _ versionMax: Int16?, _: Request.Type
    ) throws(ClientError) -> Int16 {
        if let version { return version }
        return try versions.version(of: Request.self, versionMax: versionMax)
    }

    private static func exchange<Request: WireRequest>(
        _ request: Request, version: Int16, timeout: Duration, handler: ClientChannelHandler,
        settings: ConnectionSettings, correlation: CorrelationIDs
    ) async throws(ClientError) -> ByteBuffer {
        var outgoing = try outgoing(
            request, version: version, timeout: timeout, settings: settings, correlation: correlation, completion: nil)
        let correlationID = outgoing.correlationID
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation {
                (continuation: CheckedContinuation<Result<ByteBuffer, ClientError>, Never>) in
                outgoing.completion = { continuation.resume(returning: $0) }
                handler.send(outgoing)
                // A cancellation that came before the request was known found nothing to cancel.
                if Task.isCancelled { handler.cancel(correlationID: correlationID) }
            }
        } onCancel: {
            handler.cancel(correlationID: correlationID)
        }
        return try result.get()
    }

    private static func outgoing<Request: WireRequest>(
        _ request: Request, version: Int16, timeout: Duration, settings: ConnectionSettings,
        correlation: CorrelationIDs, completion: OutgoingRequest.Completion?
    ) throws(ClientError) -> OutgoingRequest {
        let correlationID = correlation.next()
        var writer = WireWriter(capacity: 512, splicedBytesMin: 16 << 10)
        writer.write(Int32(0))
        do {
            try request.encode(
                into: &writer, version: version, correlationID: correlationID, clientID: settings.clientID)
        } catch {
            throw ClientError(
                .unsupportedVersion, "\(Request.apiKey) v\(version) can't be written: \(error)", cause: error)
        }
        writer.buffer.setInteger(Int32(writer.byteCount - 4), at: 0)
        return OutgoingRequest(
            frame: writer.pieces, apiKey: Request.apiKey, correlationID: correlationID, timeout: timeout,
            completion: completion)
    }

    private static func decode<Request: WireRequest>(
        _: Request.Type, from frame: ByteBuffer, version: Int16, address: Address
    ) throws(ClientError) -> Request.Response {
        var reader = WireReader(frame)
        do {
            _ = try ResponseHeader(from: &reader, version: Request.apiKey.responseHeaderVersion(for: version))
            return try Request.Response(from: &reader, version: version)
        } catch {
            throw ClientError(
                .protocolViolation, "\(address) answered \(Request.apiKey) v\(version) with what is none: \(error)",
                cause: error)
        }
    }
}

/// The handlers of the channels that one name's addresses were tried with.
private final class MadeHandlers: Sendable {
    private let handlers = Mutex<[ObjectIdentifier: ClientChannelHandler]>([:])

    func keep(_ handler: ClientChannelHandler, of channel: any Channel) {
        handlers.withLock { $0[ObjectIdentifier(channel)] = handler }
    }

    func handler(of channel: any Channel) -> ClientChannelHandler {
        handlers.withLock { $0[ObjectIdentifier(channel)]! }
    }
}

/// Counts the requests of a connection.
private final class CorrelationIDs: Sendable {
    private let last = Atomic<Int32>(0)

    func next() -> Int32 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
