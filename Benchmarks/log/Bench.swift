import Base
import Foundation
import LogStorage
import NIOCore
import Records
import SystemPackage

/// A place on the disk, and what all cases share.
struct Bench {
    let place: FilePath
    let rounds: Int

    /// Empties the place, so that no case pays for another's dirty pages.
    func clear() throws {
        try? FileManager.default.removeItem(atPath: place.string)
        try FileManager.default.createDirectory(atPath: place.string, withIntermediateDirectories: true)
        sync()
    }

    func directory(
        _ name: String = "data", fileSystem: any FileSystem = PosixFileSystem(),
        settings: LogDirectorySettings = .init()
    ) -> LogDirectory {
        LogDirectory(path: place.appending(name), fileSystem: fileSystem, time: SystemTime(), settings: settings)
    }

    static func config(_ durability: Durability) -> LogConfig {
        var config = LogConfig()
        config.durability = durability
        config.retentionAge = nil
        return config
    }

    /// As such documents have them: two ids of 16 random bytes, which no codec makes smaller than those bytes.
    static func ids(_ number: Int) -> [UInt8] {
        var words = (UInt64(truncatingIfNeeded: number) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        let hex = (0..<4).map { _ in
            words ^= words >> 29
            words &*= 0xBF58_476D_1CE4_E5B9
            words ^= words >> 32
            return String(words, radix: 16)
        }
        return Array(" request=\(hex[0])\(hex[1]) trace=\(hex[2])\(hex[3])".utf8)
    }

    /// Lines as nginx writes them, of about 250 bytes.
    static func line(_ number: Int) -> [UInt8] {
        let address = "203.0.\(number * 7 % 256).\(number * 31 % 256)"
        let path = "/catalogue/\(number * 2_654_435_761 % 100_003)/item?colour=\(number % 17)&page=\(number % 411)"
        return Array(
            ("\(address) - - [26/Nov/2026:22:\(number / 60 % 60):\(number % 60) +0000] \"GET \(path) HTTP/1.1\" 200 "
                + "\(number * 977 % 50_000) \"https://shop.example\(path)\" \"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
                + "Gecko/20100101 Firefox/128.0\"").utf8)
    }

    /// One batch of about so many bytes.
    static func batch(bytes: Int, first: Int = 0, codec: Codec = .none, keys: Int? = nil) throws -> ByteBuffer {
        var records: [NewRecord] = []
        var size = 61
        var number = first
        while size < bytes {
            var value = line(number) + (keys == nil ? [] : ids(number))
            if size + value.count + 12 > bytes {
                value.removeLast(min(value.count - 1, size + value.count + 12 - bytes))
            }
            size += value.count + 12
            let key = keys.map { Array("key-\(number &* 2_654_435_761 % $0)".utf8) }
            records.append(NewRecord(timestamp: Timestamp(milliseconds: 1_764_000_000_000), key: key, value: value))
            number += 1
        }
        return try RecordBatch.build(records, codec: codec).bytes
    }

    /// Runs the sides in turns; gives each side's figures in the order of the rounds.
    func inTurns(_ sides: [() throws -> Cost]) throws -> [[Cost]] {
        var figures = sides.map { _ in [Cost]() }
        for _ in 0..<rounds {
            for (place, side) in sides.enumerated() { figures[place].append(try side()) }
        }
        return figures
    }

    static func print(_ name: String, _ text: String) { Swift.print("\(name): \(text)") }

    /// Prints the medians of both sides, and the median and range of the ratios of the rounds: `own` as a part of `bare`'s speed, by CPU time.
    static func compare(_ name: String, bytes: Int, own: [Cost], bare: [Cost], _ yardstick: String) {
        let speeds = zip(own, bare).map { $1.cpu / $0.cpu }
        let walls = zip(own, bare).map { $1.wall / $0.wall }
        let gigabytes = Double(bytes) / 1e9
        print(
            name,
            "\(number(median(own.map(\.cpu)) / gigabytes)) CPU-s/GB, \(yardstick) \(number(median(bare.map(\.cpu)) / gigabytes)); "
                + "speed by CPU \(number(median(speeds))) of it (\(number(speeds.min()!))-\(number(speeds.max()!))), "
                + "by the clock \(number(median(walls))) (\(number(walls.min()!))-\(number(walls.max()!)))")
    }
}

/// Seconds.
struct Cost {
    var wall: Double
    /// Of all threads of the process, in user space and the kernel.
    var cpu: Double

    static func of(_ body: () throws -> Void) rethrows -> Cost {
        let (wall, cpu) = (clock(CLOCK_MONOTONIC), clock(CLOCK_PROCESS_CPUTIME_ID))
        try body()
        return Cost(wall: clock(CLOCK_MONOTONIC) - wall, cpu: clock(CLOCK_PROCESS_CPUTIME_ID) - cpu)
    }

    private static func clock(_ id: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func number(_ value: Double) -> String { String(format: value < 10 ? "%.2f" : "%.0f", value) }
