import Base
import Synchronization

/// Whether the event loop that received an append may write it itself, instead of handing it to a disk lane.
///
/// At durability `page-cache` an append is a copy into the kernel's memory: some 20 µs for a batch of 64 KiB, no more than the way to the lane
/// and back costs (docs/decisions/0004-page-cache-appends-on-the-loop.md). The kernel makes a writer wait, though, where the disk does not keep up with
/// what was written before, and then all connections of the loop wait with it. So one write that took long sends all of them to the lanes for a while.
final class LoopWriteGate: Sendable {
    /// A larger request goes to the lane: its copy alone would hold the loop up.
    static let bytesMax = 256 << 10
    /// Several times what the largest copy takes on a busy machine.
    static let slow = Duration.milliseconds(5)
    /// How long the lanes do all the writing after a slow write.
    static let pause = Duration.seconds(10)

    private let closedUntil = Atomic<Int64>(.min)

    func isOpen(for bytes: Int, now: Instant) -> Bool {
        bytes <= Self.bytesMax && now.nanoseconds >= closedUntil.load(ordering: .relaxed)
    }

    /// True where the gate closes for this write.
    func wrote(from begin: Instant, until end: Instant) -> Bool {
        guard end - begin > Self.slow else { return false }
        closedUntil.store((end + Self.pause).nanoseconds, ordering: .relaxed)
        return true
    }
}
