import AgentCommands
import MillraceCLI

@main
struct Entry {
    static func main() async { await CommandEntry.main(Millrace.self) }
}
