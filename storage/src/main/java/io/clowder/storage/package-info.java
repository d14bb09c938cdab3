// SPDX-License-Identifier: Apache-2.0
/**
 * Durable state of one node on a local disk: append-only journals and snapshot files.
 *
 * <p>{@link io.clowder.storage.NodeDirectory} is the component: it locks the configured directory,
 * checks that it belongs to this node and cluster, and registers the {@code Node} and the {@code
 * Storage} service. Beneath it, {@link io.clowder.storage.DiskStorage} runs on any {@code Disk}: on
 * {@code FileDisk} in production and on the simulator's, with the same code.
 *
 * <pre>
 *   identity                            who this directory belongs to; written once, checksummed
 *   lock                                locked by the one process that uses the directory
 *   journals/NAME/0000000000000001.journal …    the files of one journal, contiguous numbers
 *   journals/NAME/spare                 the next file, being filled with zeros ahead of need
 *   journals/NAME/live                  this journal exists: without files it has lost them
 *   journals/NAME/deleted               it is being removed: what is left of it counts no more
 *   snapshots/NAME/POSITION.snapshot    a whole snapshot
 *   snapshots/NAME/POSITION.new|part    one being made here | being received
 * </pre>
 *
 * <p><b>A journal file</b> is a header and then frames, each the records of one sync. What makes
 * recovery sound is the order of writes: a frame is written only when all before it is on disk, a
 * file's first frame only when the file before it is sealed, and no sector that holds synced bytes
 * is ever given other bytes. So the header of a frame proves that everything before it had been
 * durable, and recovery can tell what never was acknowledged from what was lost:
 *
 * <table>
 *   <caption>What recovery finds, and does</caption>
 *   <tr><th>found</th><th>then</th></tr>
 *   <tr><td>zeros after the last whole frame of the last file</td><td>a clean end</td></tr>
 *   <tr><td>anything else there, and no frame header behind it</td>
 *       <td>a torn write that no one was told of: set to zeros, logged</td></tr>
 *   <tr><td>a damaged frame with a frame header, or a file in use, behind it</td>
 *       <td>corrupt: refused with file and offset, nothing changed</td></tr>
 *   <tr><td>the last file without frames, the one before not sealed</td>
 *       <td>a crash while rolling: the last file becomes the spare again</td></tr>
 *   <tr><td>a sealed last file; a gap in the numbers; no file at all though {@code live} is
 *       there</td><td>a file is missing: refused</td></tr>
 *   <tr><td>files below the oldest that the last frame names</td>
 *       <td>a crash while trimming: removed</td></tr>
 *   <tr><td>a damaged header, a file shorter than its header says</td><td>corrupt: refused</td></tr>
 *   <tr><td>a newer format, the file of another node or journal</td><td>refused</td></tr>
 * </table>
 *
 * <p><b>What is read is made durable before it is believed.</b> A process that was killed leaves
 * names and bytes that only the page cache knows, and after a sync that failed the cache even takes
 * them for clean. So opening syncs the directories it found, writes the last frame once more, and
 * only then removes anything.
 *
 * <p><b>An open journal can be verified.</b> It knows where the frames of each file end, so that
 * what recovery takes for a torn write, or for a clean end, is seen for what it is: lost.
 */
@NullMarked
package io.clowder.storage;

import org.jspecify.annotations.NullMarked;
