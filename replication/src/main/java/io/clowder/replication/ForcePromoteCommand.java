// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import io.clowder.api.NodeId;
import io.clowder.api.shell.Table;
import io.clowder.api.store.StoreAdmin;
import io.clowder.api.store.StoreAdmin.LossReport;
import io.clowder.api.store.StoreStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code store:force-promote}. No method can have that name, so Gogo calls {@code _main}, with the
 * name before the other words; of any function, which is why this is a component of its own.
 */
@Component(
    service = ForcePromoteCommand.class,
    property = {"osgi.command.scope=store", "osgi.command.function=force-promote"})
public final class ForcePromoteCommand {
  private final Map<String, StoreAdmin> admins = new ConcurrentSkipListMap<>();

  /** A command on stores. */
  public ForcePromoteCommand() {}

  /** A store can be looked after. */
  @Reference(
      name = "admin",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  public void bindAdmin(StoreAdmin admin, Map<String, Object> properties) {
    admins.put(StoreAdminCommands.name(properties), admin);
  }

  /** It cannot any more. */
  public void unbindAdmin(StoreAdmin admin, Map<String, Object> properties) {
    admins.remove(StoreAdminCommands.name(properties), admin);
  }

  /** {@code store:force-promote NODE}. */
  @SuppressWarnings("MemberName")
  public String _main(String... words) throws Exception {
    return new ForcePromote(admins).run(Arrays.copyOfRange(words, 1, words.length));
  }

  @Command(
      name = "store:force-promote",
      description = {
        "The last resort, when no copy that has all that was acknowledged comes back: makes a copy"
            + " the primary that may lack some of it.",
        "Without --consent nothing is done but to show what may be lost. The former primary must be"
            + " down for certain."
      })
  private static final class ForcePromote extends StoreCommand<StoreAdmin> {
    @Parameters(index = "0", paramLabel = "NODE")
    private String node = "";

    @Option(
        names = "--consent",
        paramLabel = "TOKEN",
        description = "Do it; as the forecast says, while it holds.")
    private @Nullable String consent;

    private String text = "";

    ForcePromote(Map<String, StoreAdmin> admins) {
      super(admins);
    }

    @Override
    protected Table execute() throws Exception {
      NodeId id = new NodeId(node);
      if (consent == null) {
        return show(await(store().forecast(id)));
      }
      StoreStatus status = await(store().forcePromote(id, consent));
      text = StatusTable.line(status);
      return StatusTable.of(List.of(status));
    }

    private Table show(LossReport report) {
      List<String> lines = new ArrayList<>(report.lines());
      lines.add(
          "to do it: %s %s --consent %s"
              .formatted(words("store:force-promote"), report.node(), report.consent()));
      text = String.join("\n", lines);
      return new Table("node", "epoch", "end", "last_known", "lines", "consent")
          .row(
              report.node(),
              report.epoch(),
              report.end(),
              report.lastKnown(),
              String.join("\n", report.lines()),
              report.consent());
    }

    @Override
    protected String toText(Table result) {
      return text;
    }
  }
}
