import Base
import Broker
public import KafkaConnection
public import KafkaWire
public import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A socket that speaks the protocol byte by byte, or breaks it: for tests of what a broker answers, version by version, and of what it
/// does with rubbish. One call at a time waits for its answer; use the real client for everything else.
public final class WireSocket: Sendable {
    public struct Closed: Error, CustomStringConvertible {
        public let description = "the broker closed the connection"
    }

    /// How long a read may take before the test fails.
    private static let secondsMax = 20

    private let descriptor: CInt
    // Blocking calls get a thread of their own.
    private let lane = DiskLane()
    private let correlation = Atomic<Int32>(0)

    public init(to address: Address) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var peer = sockaddr_in()
        peer.sin_family = sa_family_t(AF_INET)
        peer.sin_port = in_port_t(UInt16(address.port).bigEndian)
        peer.sin_addr.s_addr = inet_addr(address.host)
        var timeout = timeval(tv_sec: Self.secondsMax, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        let result = withUnsafePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Closed() }
    }

    deinit {
        _ = close(descriptor)
        let lane = lane
        Task { await lane.shutDown() }
    }

    /// Sends a request and reads its answer.
    public func call<Request: WireRequest>(_ request: Request, version: Int16) async throws -> Request.Response {
        let id = try await send(request, version: version)
        return try await receive(Request.self, version: version, correlationID: id)
    }

    /// Sends a request without waiting; returns its correlation id.
    @discardableResult
    public func send<Request: WireRequest>(_ request: Request, version: Int16) async throws -> Int32 {
        let id = correlation.add(1, ordering: .relaxed).newValue
        await send(frame: try Self.frame(request, version: version, correlationID: id))
        return id
    }

    /// Reads the answer to the request that was sent with this correlation id, which has to be the next to arrive.
    public func receive<Request: WireRequest>(
        _: Request.Type, version: Int16, correlationID: Int32
    ) async throws -> Request.Response {
        guard var frame = await receiveFrame() else { throw Closed() }
        let id = frame.readInteger(as: Int32.self)
        precondition(id == correlationID, "expected the answer to request \(correlationID), got that to \(id ?? -1)")
        if Request.apiKey.responseHeaderVersion(for: version) > 0 { frame.moveReaderIndex(forwardBy: 1) }
        return try Request.Response.decoded(frame, version: version)
    }

    /// A request with header and body, without its length.
    public static func frame<Request: WireRequest>(
        _ request: Request, version: Int16, correlationID: Int32 = 0, clientID: String = "test"
    ) throws -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Request.apiKey.rawValue, version, correlationID, Int16(clientID.utf8.count))
        buffer.writeString(clientID)
        if Request.apiKey.requestHeaderVersion(for: version) >= 2 { buffer.writeInteger(UInt8(0)) }
        buffer.writeImmutableBuffer(try request.encoded(version: version))
        return buffer
    }

    /// Sends a frame with its true length in front.
    public func send(frame: ByteBuffer) async {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(frame.readableBytes))
        buffer.writeImmutableBuffer(frame)
        await send(bytes: buffer)
    }

    /// Sends bytes as they are. What a closed connection does not take is lost.
    public func send(bytes: ByteBuffer) async {
        await lane.run { [descriptor] in
            bytes.withUnsafeReadableBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let count = Glibc.send(
                        descriptor, bytes.baseAddress! + done, bytes.count - done, CInt(MSG_NOSIGNAL))
                    if count <= 0 { return }
                    done += count
                }
            }
        }
    }

    /// The next frame, without its length; nil once the broker has closed the connection, or is silent for too long.
    public func receiveFrame() async -> ByteBuffer? {
        await lane.run { [descriptor] in
            guard var length = Self.read(descriptor, count: 4), let count = length.readInteger(as: Int32.self),
                count >= 0
            else { return nil }
            return Self.read(descriptor, count: Int(count))
        }
    }

    /// True once the broker has closed the connection; false where it sends something instead.
    public func isClosedByBroker() async -> Bool { await receiveFrame() == nil }

    /// True once the broker has ended the connection, whatever it sent before (an alert of TLS, say); false where it is silent for too long.
    public func isEndedByBroker() async -> Bool {
        await lane.run { [descriptor] in
            var byte: UInt8 = 0
            while true {
                let count = recv(descriptor, &byte, 1, 0)
                if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
                if count < 0 { return false }
            }
        }
    }

    /// A request with its length in front, as it goes over the wire.
    public static func lengthFramed(_ request: some WireRequest, version: Int16) throws -> ByteBuffer {
        let frame = try frame(request, version: version)
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(frame.readableBytes))
        buffer.writeImmutableBuffer(frame)
        return buffer
    }

    private static func read(_ descriptor: CInt, count: Int) -> ByteBuffer? {
        var buffer = ByteBuffer()
        while buffer.readableBytes < count {
            let missing = count - buffer.readableBytes
            let read = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { bytes in
                max(0, recv(descriptor, bytes.baseAddress, missing, 0))
            }
            if read == 0 { return nil }
        }
        return buffer
    }
}
