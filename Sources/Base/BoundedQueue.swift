import DequeModule
import Synchronization

/// A queue between two tasks that holds at most `bytesMax`; a writer that would overfill it is suspended until there is room.
///
/// One element is always let in, however large, so that nothing larger than the limit can block for ever; limit elements before.
/// Closing wakes both sides: the reader gets what is left, then nil; a writer gets `false`.
public final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: Deque<(element: Element, bytes: Int)> = []
        var bytes = 0
        var isClosed = false
        var reader: CheckedContinuation<Void, Never>?
        var writers: Deque<CheckedContinuation<Void, Never>> = []
    }

    public let bytesMax: ByteCount
    private let state = Mutex(State())

    public init(bytesMax: ByteCount) { self.bytesMax = bytesMax }

    /// Bytes that wait to be read.
    public var byteCount: ByteCount { state.withLock { ByteCount($0.bytes) } }

    /// Appends, waiting for room. False where the queue was closed: the element was not taken.
    public func append(_ element: Element, bytes: ByteCount) async -> Bool {
        while true {
            switch tryAppend(element, bytes: bytes) {
            case .appended: return true
            case .closed: return false
            case .full:
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    let wakeAtOnce = state.withLock { state in
                        if state.isClosed || state.elements.isEmpty { return true }
                        state.writers.append(continuation)
                        return false
                    }
                    if wakeAtOnce { continuation.resume() }
                }
            }
        }
    }

    public enum AppendResult: Sendable { case appended, full, closed }

    /// Appends where there is room, without waiting.
    public func tryAppend(_ element: Element, bytes: ByteCount) -> AppendResult {
        let (result, reader) = state.withLock { state -> (AppendResult, CheckedContinuation<Void, Never>?) in
            if state.isClosed { return (.closed, nil) }
            if !state.elements.isEmpty && state.bytes + bytes.bytes > bytesMax.bytes { return (.full, nil) }
            state.elements.append((element, bytes.bytes))
            state.bytes += bytes.bytes
            defer { state.reader = nil }
            return (.appended, state.reader)
        }
        reader?.resume()
        return result
    }

    /// The oldest element, waiting for one; nil once the queue is closed and empty. One reader at a time.
    public func next() async -> Element? {
        while true {
            let (element, isClosed, writers) = state.withLock { state in
                let first = state.elements.popFirst()
                state.bytes -= first?.bytes ?? 0
                let writers = first == nil ? [] : state.writers
                if first != nil { state.writers = [] }
                return (first?.element, state.isClosed, writers)
            }
            for writer in writers { writer.resume() }
            if let element { return element }
            if isClosed { return nil }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let wakeAtOnce = state.withLock { state in
                    if state.isClosed || !state.elements.isEmpty { return true }
                    precondition(state.reader == nil, "a BoundedQueue has one reader at a time")
                    state.reader = continuation
                    return false
                }
                if wakeAtOnce { continuation.resume() }
            }
        }
    }

    public func close() {
        let (reader, writers) = state.withLock { state in
            state.isClosed = true
            defer {
                state.reader = nil
                state.writers = []
            }
            return (state.reader, state.writers)
        }
        reader?.resume()
        for writer in writers { writer.resume() }
    }
}
