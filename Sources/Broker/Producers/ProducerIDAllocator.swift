import Base

/// Gives out producer ids from blocks that were made durable before their first id left the house: after a crash the rest of a
/// block is lost, and no id is ever given twice.
///
/// A machine: who runs it takes the block that `.takeBlock` asks for, one at a time, and answers the waiters that come back.
struct ProducerIDAllocator<Waiter> {
    enum Action { case takeBlock(count: Int64), answer(Waiter, ProducerID), fail(Waiter) }

    private let blockSize: Int64
    private let waitersMax: Int
    private var block: Range<Int64> = 0..<0
    private var waiters: [Waiter] = []
    private var isTakingBlock = false

    init(blockSize: Int64 = 1000, waitersMax: Int = 10_000) {
        self.blockSize = blockSize
        self.waitersMax = waitersMax
    }

    mutating func idWanted(by waiter: Waiter) -> [Action] {
        if let id = next() { return [.answer(waiter, id)] }
        guard waiters.count < waitersMax else { return [.fail(waiter)] }
        waiters.append(waiter)
        guard !isTakingBlock else { return [] }
        isTakingBlock = true
        return [.takeBlock(count: blockSize)]
    }

    /// The block `ids` is durable and ours.
    mutating func blockTaken(_ ids: Range<Int64>) -> [Action] {
        precondition(block.isEmpty && !ids.isEmpty)
        block = ids
        isTakingBlock = false
        var actions: [Action] = []
        for (place, waiter) in waiters.enumerated() {
            guard let id = next() else {
                waiters.removeFirst(place)
                isTakingBlock = true
                return actions + [.takeBlock(count: blockSize)]
            }
            actions.append(.answer(waiter, id))
        }
        waiters = []
        return actions
    }

    mutating func blockRefused() -> [Action] {
        isTakingBlock = false
        defer { waiters = [] }
        return waiters.map { .fail($0) }
    }

    private mutating func next() -> ProducerID? {
        guard !block.isEmpty else { return nil }
        defer { block = (block.lowerBound + 1)..<block.upperBound }
        return ProducerID(block.lowerBound)
    }
}

extension ProducerIDAllocator.Action: Equatable where Waiter: Equatable {}
extension ProducerIDAllocator.Action: Sendable where Waiter: Sendable {}
