// SPDX-License-Identifier: Apache-2.0
package io.clowder.simulator;

import io.clowder.api.NodeId;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A computer that runs one program: a process, a disk that outlives it, and a network card. It can
 * be killed, lose its power, or die at a chosen operation of its disk.
 */
public final class Computer {
  private static final long MICROS = 1_000;

  private final World world;
  private final NodeId id;
  private final SimulatedNetwork network;
  private final Program program;
  private final SimulatedProcess process;
  private final SimulatedDisk disk;
  private final Pace diskPace;
  private long fuse;
  private long actionFuse;
  private @Nullable Loss loss;
  private @Nullable IOException bootFailure;

  /** What a computer runs. */
  @FunctionalInterface
  public interface Program {
    /**
     * Starts the program in a new incarnation of the computer's process.
     *
     * @throws IOException if it cannot start: the process ends
     */
    void boot(Computer computer) throws IOException;
  }

  /** A computer with an empty disk, switched off. */
  public Computer(World world, SimulatedNetwork network, NodeId id, Program program) {
    this.world = world;
    this.network = network;
    this.id = id;
    this.program = program;
    this.process = new SimulatedProcess(world, id.value(), this::died);
    this.disk = new SimulatedDisk(world.random("disk of " + id));
    this.diskPace = new Pace(world.random("pace of " + id), 50 * MICROS, 200 * MICROS);
    disk.observe(this::atDisk);
  }

  /** The node it is. */
  public NodeId id() {
    return id;
  }

  /** Its process. */
  public SimulatedProcess process() {
    return process;
  }

  /** Its disk. */
  public SimulatedDisk disk() {
    return disk;
  }

  /** How long its disk takes for a task. */
  public Pace diskPace() {
    return diskPace;
  }

  /** Whether the program runs. */
  public boolean isUp() {
    return process.isUp();
  }

  /** Why the program could not start when it was started last; null if it could. */
  public @Nullable IOException bootFailure() {
    return bootFailure;
  }

  /** Starts the program; nothing if it runs. */
  public void start() {
    if (process.isUp()) {
      return;
    }
    process.start(
        () -> {
          bootFailure = null;
          try {
            program.boot(this);
          } catch (IOException e) {
            bootFailure = e;
            throw process.dieHere("boot failed");
          }
        });
  }

  /** Ends the process at once, as {@code kill -9} does: the disk forgets nothing. */
  public void kill() {
    process.die();
  }

  /** Cuts the power: what was not synced is lost as {@code loss} says. */
  public void powerOff(Loss loss) {
    process.die();
    network.cutPower(id);
    disk.powerFailure(loss);
  }

  /**
   * Has the computer die at a point of its disk's operations.
   *
   * @param points how many points it passes before; at least 0
   * @param loss what the power failure spares; null if only the process dies
   */
  public void dieAtDisk(long points, @Nullable Loss loss) {
    this.fuse = points + 1;
    this.loss = loss;
  }

  /**
   * Has the computer die between two of the next things that its program does: messages sent,
   * entries applied, operations of the disk.
   *
   * @param actions how many happen before; at least 0
   * @param loss what the power failure spares; null if only the process dies
   */
  public void dieAtAction(long actions, @Nullable Loss loss) {
    this.actionFuse = actions + 1;
    this.loss = loss;
  }

  /** Takes back {@link #dieAtDisk} and {@link #dieAtAction}. */
  public void disarm() {
    fuse = 0;
    actionFuse = 0;
  }

  private void atDisk(String operation) {
    if (process.isDying()) {
      throw process.dieHere(operation);
    }
    world.witness(operation.hashCode());
    if (fuse > 0 && --fuse == 0) {
      world.sighted("died " + operation.replaceFirst(" [^ ]*/.*", ""));
      throw process.dieHere(operation);
    }
    atAction("disk");
  }

  /** The program is about to do something that can be seen. */
  void atAction(String what) {
    if (process.isDying()) {
      throw process.dieHere(what);
    }
    if (actionFuse > 0 && --actionFuse == 0) {
      world.sighted("died at action " + what);
      throw process.dieHere(what);
    }
  }

  private void died() {
    network.detach(id);
    diskPace.recover();
    boolean burnt = fuse == 0 && actionFuse == 0;
    if (burnt && loss != null) {
      network.cutPower(id);
      disk.powerFailure(loss);
    }
    loss = burnt ? null : loss;
  }
}
