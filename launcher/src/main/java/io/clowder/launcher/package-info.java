// SPDX-License-Identifier: Apache-2.0
/**
 * The {@code clowder} command line and the process of a node.
 *
 * <pre>
 *   clowder up ──starts──► clowder node (one process each)          clowder sh, status, bench
 *       │                      │                                            │
 *       ▼                      ▼                                            ▼
 *   {@link io.clowder.launcher.Cluster}   {@link io.clowder.launcher.Container} ◄──asks── {@link io.clowder.launcher.ShellServer} ◄──socket── {@link io.clowder.launcher.ShellClient}
 *   (.clowder/)            (Felix and the folder bundle/)
 * </pre>
 *
 * <p>A node is a Felix framework built anew at every start from three folders: the distribution's
 * {@code bundle/}, the node's own {@code bundle/} (plug-ins) and the node's {@code etc/}
 * (configuration). What was stopped, updated or installed from the shell lasts until the node's
 * next start; what shall last longer is put into a folder.
 *
 * <p>The launcher knows Felix and a list of files. It lends its copies of the APIs of logging and
 * components to the bundles through the system bundle, and calls the shell by its methods' names,
 * so that it outlives the refresh of any of them; it shares no type of ours with them.
 */
@NullMarked
package io.clowder.launcher;

import org.jspecify.annotations.NullMarked;
