import Base
import SystemPackage

/// A file that is written here before it is uploaded whole: an upload that fails is made again, and no connection is held open for hours.
///
/// It has no name: whatever becomes of the process, nothing is left behind. What it held is read from the topic again.
final class SpoolFile: Sendable {
    let file: any File

    init(in folder: FilePath, fileSystem: any FileSystem) throws(ExportSpoolError) {
        let path = folder.appending("millrace-\(KafkaUUID.random())")
        do throws(FileError) {
            file = try fileSystem.open(path, .createNew)
            try fileSystem.unlink(path)
        } catch {
            throw ExportSpoolError("no file can be spooled in \(folder): \(error); name another folder with 'spool'")
        }
    }

    deinit { file.close() }
}

struct ExportSpoolError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
