import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;

/** ADDRESS GROUP: what the Admin client tells of a group. */
public class DescribeGroup {
    public static void main(String[] arguments) throws Exception {
        try (var admin = Admin.create(Map.of("bootstrap.servers", arguments[0]))) {
            var group = admin.describeConsumerGroups(List.of(arguments[1])).all().get().get(arguments[1]);
            System.out.println("type " + group.type());
            System.out.println("state " + group.groupState());
            System.out.println("assignor " + group.partitionAssignor());
            System.out.println("members " + group.members().size());
            System.out.println("partitions " + group.members().stream().mapToInt(member -> member.assignment().topicPartitions().size()).sum());
        }
    }
}
