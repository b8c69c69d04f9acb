import NIOCore

/// Keeps the responses of one connection in the order of its requests, in whatever order they are finished.
///
/// A machine without I/O: a request reserves a slot, its response fills it, and responses leave from the front while they are there.
struct ResponseSlots<Response> {
    enum State {
        case waiting(requestBytes: Int)
        case filled(Response?)
    }

    private var slots: CircularBuffer<State> = []
    private var first: UInt64 = 0
    /// Requests that were not yet answered to the socket.
    var count: Int { slots.count }
    /// Requests whose response is still being made, and the bytes they hold.
    private(set) var waitingCount = 0
    private(set) var waitingBytes = 0

    mutating func reserve(requestBytes: Int) -> UInt64 {
        slots.append(.waiting(requestBytes: requestBytes))
        waitingCount += 1
        waitingBytes += requestBytes
        return first + UInt64(slots.count - 1)
    }

    /// Fills a slot; nil is "no response" (acks=0). Filling a slot twice is a bug of the handler that does it. Returns the bytes that its request held.
    mutating func fill(_ slot: UInt64, with response: Response?) -> Int {
        precondition(slot >= first && slot < first + UInt64(slots.count), "a request was answered twice")
        let index = slots.index(slots.startIndex, offsetBy: Int(slot - first))
        guard case .waiting(let requestBytes) = slots[index] else {
            preconditionFailure("a request was answered twice")
        }
        waitingCount -= 1
        waitingBytes -= requestBytes
        slots[index] = .filled(response)
        return requestBytes
    }

    /// The response that is to leave next; `.some(nil)` where a request gets none, nil where the front is not finished.
    mutating func popReady() -> Response?? {
        guard case .filled(let response) = slots.first else { return nil }
        slots.removeFirst()
        first += 1
        return .some(response)
    }
}
