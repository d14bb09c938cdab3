// SPDX-License-Identifier: Apache-2.0
package io.clowder.storage;

import io.clowder.api.Address;
import io.clowder.api.Node;
import io.clowder.api.NodeId;
import io.clowder.api.storage.Journal;
import io.clowder.api.storage.Snapshots;
import io.clowder.api.storage.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * This node's directory, locked and found to be its own: who the node is, and what it keeps. If
 * anything is wrong with configuration or directory, the component is not there; the reason is the
 * one line of its exception.
 */
@Component(
    configurationPid = "io.clowder.node",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true,
    service = {Node.class, Storage.class})
@Designate(ocd = NodeDirectory.Settings.class)
public final class NodeDirectory implements Node, Storage {
  /** The keys of {@code io.clowder.node}. */
  @ObjectClassDefinition(
      name = "Clowder node",
      description = "Who this node is, who the others are, and where it keeps its state")
  public @interface Settings {
    /** This node. */
    @AttributeDefinition(
        description =
            "Name of this node, one of the members: 1 to 64 letters, digits, '.', '_' or '-'")
    String id();

    /** The cluster. */
    @AttributeDefinition(
        description =
            "Name of the cluster, 1 to 64 characters; nodes of others are never talked to")
    String cluster() default "clowder";

    /** All nodes. */
    @AttributeDefinition(
        description = "All nodes and where they listen: n1=HOST:PORT,n2=HOST:PORT,…")
    String members();

    /** The directory. */
    @AttributeDefinition(
        description = "Directory of this node's journals and snapshots, made if it is not there")
    String directory();
  }

  private final NodeSettings settings;
  private final DirectoryLock lock;
  private final DiskStorage storage;

  /**
   * Locks and opens the directory.
   *
   * @throws IllegalArgumentException if a value makes no sense; begins with its key
   * @throws IOException if the directory cannot be used; names it
   */
  @Activate
  public NodeDirectory(Settings config) throws IOException {
    settings =
        NodeSettings.parse(
            given(config.id()),
            given(config.cluster()),
            given(config.members()),
            given(config.directory()));
    Path directory = made(settings.directory());
    lock = DirectoryLock.of(directory);
    DiskStorage opened = null;
    try {
      opened =
          DiskStorage.open(
              FileDisk.open(directory), settings.id(), settings.cluster(), new SecureRandom());
    } catch (CorruptionException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException("directory " + directory + ": " + e.getMessage(), e);
    } finally {
      if (opened == null) {
        lock.close();
      }
    }
    storage = opened;
  }

  /** Closes all that is open and gives the directory up. */
  @Deactivate
  public void close() throws IOException {
    try {
      storage.close();
    } finally {
      lock.close();
    }
  }

  @Override
  public NodeId id() {
    return settings.id();
  }

  @Override
  public String cluster() {
    return settings.cluster();
  }

  @Override
  public long incarnation() {
    return storage.incarnation();
  }

  @Override
  public SortedMap<NodeId, Address> members() {
    return settings.members();
  }

  @Override
  public Journal openJournal(String name, Journal.Replay replay) throws IOException {
    return storage.openJournal(name, replay);
  }

  @Override
  public Snapshots openSnapshots(String name) throws IOException {
    return storage.openSnapshots(name);
  }

  @Override
  public void deleteJournal(String name) throws IOException {
    storage.deleteJournal(name);
  }

  @Override
  public long freeBytes() throws IOException {
    return storage.freeBytes();
  }

  /** Declarative Services gives null for a key that is not configured. */
  private static String given(@Nullable String value) {
    return value == null ? "" : value.strip();
  }

  private static Path made(Path directory) throws IOException {
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw new IOException("directory: " + directory + " is not a directory");
    }
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new IOException("directory: " + directory + " cannot be made: " + e.getMessage(), e);
    }
    if (!Files.isWritable(directory)) {
      throw new IOException("directory: " + directory + " cannot be written to");
    }
    return directory;
  }
}
