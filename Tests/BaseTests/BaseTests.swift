import Base
import SystemPackage
import TestKit
import Testing

@Suite struct Identifiers {
    @Test(arguments: 0..<200) func aUUIDReadsBackWhatItWrote(seed: Int) {
        var random = SeededRandom(seed: UInt64(seed))
        let id = KafkaUUID.random(using: &random)
        #expect(id.description.utf8.count == 22 && !id.description.hasPrefix("-"))
        #expect(KafkaUUID(id.description) == id)
    }

    @Test func aUUIDIsWrittenAsJavaWritesIt() {
        #expect(KafkaUUID.zero.description == "AAAAAAAAAAAAAAAAAAAAAA")
        #expect(KafkaUUID(high: 0, low: 1).description == "AAAAAAAAAAAAAAAAAAAAAQ")
        #expect(KafkaUUID(high: .max, low: .max).description == "_____________________w")
    }

    @Test func wrongTextIsNoUUID() {
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAA+A", "AAAAAAAAAAAAAAAAAAAAAAA"] {
            #expect(KafkaUUID(text) == nil, "\(text)")
        }
    }

    @Test func sizesNameTheLargestUnitThatDividesThem() {
        #expect(ByteCount.kib(64).description == "64KiB")
        #expect(ByteCount(1500).description == "1500B")
        #expect(ByteCount.gib(1).description == "1GiB")
    }
}

@Suite struct Checksums {
    @Test func theVectorsOfRFC3720() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46dd_794e)
    }

    @Test func aSumCanBeContinued() {
        let bytes = (0..<255).map { UInt8($0) }
        let whole = CRC32C.checksum(bytes)
        bytes.withUnsafeBytes { buffer in
            let first = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer[..<100]))
            #expect(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer[100...]), continuing: first) == whole)
        }
    }
}

@Suite struct JoinedChecksums {
    /// Any two stretches, from nothing to more than any batch, give the sum of the whole.
    @Test func theSumOfTwoStretchesIsThatOfTheWhole() {
        var random = SeededRandom(seed: 5)
        let bytes = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for _ in 0..<200 {
            let end = Int.random(in: 0...bytes.count, using: &random)
            let middle = Int.random(in: 0...end, using: &random)
            let joined = CRC32C.joined(
                CRC32C.checksum(bytes[..<middle]), CRC32C.checksum(bytes[middle..<end]), secondByteCount: end - middle)
            #expect(joined == CRC32C.checksum(bytes[..<end]), "\(middle) of \(end)")
        }
    }
}

@Suite struct DirectFiles {
    /// On whatever the temporary folder's file system makes of it.
    @Test func blocksAreWrittenAndReadPastThePageCache() throws {
        let files = PosixFileSystem()
        let path = FilePath("/tmp/millrace-direct-\(UInt64.random(in: 0...(.max)))")
        defer { try? files.unlink(path) }
        let block = DirectAccess.blockBytes
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * block, alignment: block)
        defer { memory.deallocate() }
        let file = try files.openDirect(path, .create)
        try file.allocate(Int64(4 * block))
        for place in 0..<memory.count { memory[place] = UInt8(truncatingIfNeeded: place / 7) }
        try file.write(UnsafeRawBufferPointer(memory), at: Int64(block))
        try file.sync()
        let expected = Array(memory)
        for place in 0..<memory.count { memory[place] = 0 }
        #expect(try file.read(into: memory, at: Int64(block)) == memory.count)
        #expect(Array(memory) == expected)
        file.close()
        #expect(try files.contents(of: path, bytesMax: .mib(1))?.count == 4 * block)
    }

    /// A file system that takes the flag and refuses its use is used through the page cache.
    @Test func whatIsNoBlockGoesThroughThePageCache() throws {
        let files = PosixFileSystem()
        let path = FilePath("/tmp/millrace-direct-\(UInt64.random(in: 0...(.max)))")
        defer { try? files.unlink(path) }
        let file = try files.openDirect(path, .create)
        try Array("abc".utf8).withUnsafeBytes { try file.write($0, at: 5) }
        #expect(try files.contents(of: path, bytesMax: .mib(1)) == [0, 0, 0, 0, 0] + Array("abc".utf8))
    }
}

@Suite struct BoundedQueues {
    @Test func elementsComeOutInOrderThoughTheWriterHadToWait() async {
        let queue = BoundedQueue<Int>(bytesMax: ByteCount(10))
        async let wrote: Void = {
            for number in 0..<1000 { _ = await queue.append(number, bytes: ByteCount(4)) }
            queue.close()
        }()
        var seen: [Int] = []
        while let number = await queue.next() { seen.append(number) }
        await wrote
        #expect(seen == Array(0..<1000))
    }

    @Test func anElementAboveTheLimitPassesAlone() async {
        let queue = BoundedQueue<String>(bytesMax: ByteCount(10))
        #expect(queue.tryAppend("large", bytes: ByteCount(100)) == .appended)
        #expect(queue.tryAppend("next", bytes: ByteCount(1)) == .full)
        #expect(await queue.next() == "large")
        #expect(queue.tryAppend("next", bytes: ByteCount(1)) == .appended)
    }

    @Test func aClosedQueueTakesNothingAndGivesTheRest() async {
        let queue = BoundedQueue<Int>(bytesMax: ByteCount(10))
        _ = queue.tryAppend(1, bytes: ByteCount(1))
        queue.close()
        #expect(await queue.append(2, bytes: ByteCount(1)) == false)
        #expect(await queue.next() == 1)
        #expect(await queue.next() == nil)
    }
}

@Suite struct RealFiles {
    private func temporary() throws -> FilePath {
        var random = SystemRandomNumberGenerator()
        let path = FilePath("/tmp/millrace-base-\(KafkaUUID.random(using: &random))")
        try PosixFileSystem().createDirectory(path)
        return path
    }

    private func remove(_ path: FilePath) throws {
        let files = PosixFileSystem()
        for entry in try files.list(path) { try files.unlink(path.appending(entry.name)) }
        try files.removeDirectory(path)
    }

    @Test func replaceLeavesTheNewContentsAndNoTemporaryFile() throws {
        let folder = try temporary()
        defer { try? remove(folder) }
        let files = PosixFileSystem()
        let path = folder.appending("state")
        try files.replace(path, with: Array("one".utf8))
        try files.replace(path, with: Array("two".utf8))
        #expect(try files.contents(of: path, bytesMax: .kib(1)) == Array("two".utf8))
        #expect(try files.list(folder).map(\.name) == ["state"])
    }

    @Test func contentsAboveTheLimitAreRefused() throws {
        let folder = try temporary()
        defer { try? remove(folder) }
        let path = folder.appending("large")
        try PosixFileSystem().replace(path, with: [UInt8](repeating: 1, count: 100))
        #expect(throws: FileError.self) { try PosixFileSystem().contents(of: path, bytesMax: ByteCount(99)) }
    }

    @Test func createNewRefusesWhatExistsAndLinkToo() throws {
        let folder = try temporary()
        defer { try? remove(folder) }
        let files = PosixFileSystem()
        _ = try files.open(folder.appending("a"), .createNew)
        #expect(throws: FileError.self) { try files.open(folder.appending("a"), .createNew) }
        _ = try files.open(folder.appending("b"), .createNew)
        do throws(FileError) {
            try files.link(folder.appending("a"), to: folder.appending("b"))
            Issue.record("the link replaced a file")
        } catch { #expect(error.code == .alreadyExists) }
    }

    @Test func aLockIsHeldOnce() throws {
        let folder = try temporary()
        defer { try? remove(folder) }
        let files = PosixFileSystem()
        let lock = try files.lock(folder.appending("lock"))
        #expect(throws: FileError.self) { try files.lock(folder.appending("lock")) }
        lock.release()
        _ = try files.lock(folder.appending("lock"))
    }
}

@Suite struct OpenFiles {
    @Test func theLimitIsRaisedAndStaysThere() {
        let limit = OpenFileLimit.raise()
        #expect(limit >= 256)
        #expect(OpenFileLimit.raise() == limit)
    }
}
