import NIOCore
import TestKit
import Testing

@testable import KafkaConnection

@Suite struct FrameAssemblyTests {
    private func stream(_ lengths: [Int], _ random: inout SeededRandom) -> (bytes: [UInt8], frames: [[UInt8]]) {
        var bytes: [UInt8] = []
        var frames: [[UInt8]] = []
        for length in lengths {
            let frame = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            bytes += withUnsafeBytes(of: Int32(length).bigEndian) { Array($0) } + frame
            frames.append(frame)
        }
        return (bytes, frames)
    }

    /// Reads as a channel does: into the buffer that is lent.
    private func readLent(_ bytes: [UInt8], _ assembly: FrameAssembly, chunk: (Int) -> Int) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        var place = 0
        while place < bytes.count {
            var buffer = assembly.lend()
            #expect(buffer.writableBytes > 0)
            let count = min(chunk(buffer.writableBytes), buffer.writableBytes, bytes.count - place)
            buffer.writeBytes(bytes[place..<(place + count)])
            place += count
            try assembly.received(buffer)
            while let frame = try assembly.next() { frames.append(Array(frame.readableBytesView)) }
        }
        return frames
    }

    @Test(arguments: 1...40) func framesSurviveAnyDivision(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let lengths = (0..<30).map { _ in
            random.oneIn(8) ? Int.random(in: 1...300_000, using: &random) : Int.random(in: 1...500, using: &random)
        }
        let (bytes, frames) = stream(lengths, &random)
        let assembly = FrameAssembly(frameBytesMax: 1 << 20)
        let found = try readLent(bytes, assembly) { room in
            random.oneIn(3) ? Int.random(in: 1...7, using: &random) : Int.random(in: 1...room, using: &random)
        }
        #expect(found == frames, "seed \(seed)")
    }

    @Test(arguments: 1...20) func framesSurviveForeignBuffers(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let (bytes, frames) = stream((0..<20).map { _ in Int.random(in: 1...5000, using: &random) }, &random)
        let assembly = FrameAssembly(frameBytesMax: 1 << 20)
        var found: [[UInt8]] = []
        var place = 0
        while place < bytes.count {
            let count = min(Int.random(in: 1...9000, using: &random), bytes.count - place)
            try assembly.received(ByteBuffer(bytes: bytes[place..<(place + count)]))
            place += count
            // Now and then what came is not looked at before more comes.
            if random.oneIn(4) { continue }
            while let frame = try assembly.next() { found.append(Array(frame.readableBytesView)) }
        }
        while let frame = try assembly.next() { found.append(Array(frame.readableBytesView)) }
        #expect(found == frames, "seed \(seed)")
    }

    @Test func aFrameIsSplitAtEveryByte() throws {
        var random = SeededRandom(seed: 7)
        let (bytes, frames) = stream([40, 1, 25], &random)
        for cut in 1..<bytes.count {
            let assembly = FrameAssembly(frameBytesMax: 100)
            var found: [[UInt8]] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                try assembly.received(ByteBuffer(bytes: piece))
                while let frame = try assembly.next() { found.append(Array(frame.readableBytesView)) }
            }
            #expect(found == frames, "cut at \(cut)")
        }
    }

    @Test(arguments: [0, -1, Int32.min, 1001, Int32.max]) func aFalseLengthIsRefused(length: Int32) throws {
        let assembly = FrameAssembly(frameBytesMax: 1000)
        try assembly.received(ByteBuffer(integer: length))
        #expect(throws: FrameError.illegalLength(Int(length), bytesMax: 1000)) { try assembly.next() }
    }

    @Test func anAnnouncedLengthAloneCostsNothing() throws {
        let assembly = FrameAssembly(frameBytesMax: 100 << 20)
        _ = assembly.lend()
        try assembly.received(ByteBuffer(integer: Int32(100 << 20)))
        #expect(try assembly.next() == nil)
        #expect(assembly.lend().capacity <= FrameAssembly.growthStart)
    }

    /// A stream of equal frames, as a producer sends them, is read frame by frame: each in a buffer of its own, without a rest to copy.
    @Test func equalFramesAreReadEachInOneBuffer() throws {
        var random = SeededRandom(seed: 3)
        let (bytes, frames) = stream(Array(repeating: 65_600, count: 12), &random)
        let assembly = FrameAssembly(frameBytesMax: 1 << 20)
        var reads = 0
        let found = try readLent(bytes, assembly) { room in
            reads += 1
            return room
        }
        #expect(found == frames)
        // The first small buffer, the rest of the first frame, then one read each.
        #expect(reads == 13)
    }

    @Test func aLostBufferEndsTheStream() throws {
        let assembly = FrameAssembly(frameBytesMax: 1000)
        _ = assembly.lend()
        try assembly.received(ByteBuffer(bytes: [0, 0, 0, 9, 1, 2]))
        #expect(try assembly.next() == nil)
        _ = assembly.lend()
        let next = assembly.lend()
        #expect(throws: FrameError.bytesLost) { try assembly.received(next) }
    }
}
