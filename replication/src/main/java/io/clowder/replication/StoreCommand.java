// SPDX-License-Identifier: Apache-2.0
package io.clowder.replication;

import static io.clowder.api.CoordinationException.refused;

import io.clowder.api.CoordinationException.Reason;
import io.clowder.api.shell.ShellCommand;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * A command on one of the stores that are configured on this node.
 *
 * @param <S> the service that it needs of a store
 */
abstract class StoreCommand<S> extends ShellCommand {
  /** Which one is meant if there are several and none is named. */
  private static final String USUAL = "main";

  private final Map<String, S> stores;

  @Option(
      names = "--store",
      paramLabel = "NAME",
      description = "Which store (default: the only one, or " + USUAL + ").")
  private @Nullable String name;

  /**
   * A command.
   *
   * @param stores those of this node, by name
   */
  StoreCommand(Map<String, S> stores) {
    this.stores = stores;
  }

  /** The store that is meant; refused with the names of those that are here if there is none. */
  final S store() {
    SortedMap<String, S> here = new TreeMap<>(stores);
    if (here.isEmpty()) {
      throw refused(Reason.UNAVAILABLE, none());
    }
    String names = String.join(", ", here.keySet());
    if (name == null && here.size() > 1 && !here.containsKey(USUAL)) {
      throw refused(Reason.INVALID, "say which store by --store; there are: " + names);
    }
    String wanted = name != null ? name : here.size() == 1 ? here.firstKey() : USUAL;
    S store = here.get(wanted);
    if (store == null) {
      throw refused(
          Reason.UNAVAILABLE, "no store '%s' here; there are: %s".formatted(wanted, names));
    }
    return store;
  }

  /** That there is no store, and how to have one. */
  final String none() {
    return "no store is configured here; the configuration io.clowder.replication~%s makes one"
        .formatted(name == null ? "NAME" : name);
  }

  /** The name that the words said; null if they said none. */
  final @Nullable String name() {
    return name;
  }

  /** The words of another command on the same store. */
  final String words(String command) {
    return name == null ? command : command + " --store " + name;
  }
}
