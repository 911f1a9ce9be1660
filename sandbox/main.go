// Command sandbox is a real Kubernetes control plane in one binary: each subcommand is an upstream program.
// src/clients/sandbox builds it, starts the subcommands together and stops them.
package main

import (
	"fmt"
	"io"
	"os"
	_ "time/tzdata"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	"sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

const usage = "usage: sandbox apiserver|controller-manager|scheduler|etcd|kwok [flags] | stages"

func main() {
	if len(os.Args) < 2 {
		fail(usage)
	}
	// The upstream commands read their flags from os.Args[1:].
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	if name != "stages" {
		go exitWithStarter()
	}
	switch name {
	case "apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "controller-manager":
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case "etcd":
		etcdmain.Main(os.Args)
	case "kwok":
		runKwok()
	case "stages":
		printStages()
	default:
		fail(usage)
	}
}

// exitWithStarter ends the process when the pipe on its standard input closes, so that nothing outlives a killed starter.
func exitWithStarter() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}

// runKwok initialises kwok's log and config flags first, which its command takes from the context.
func runKwok() {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}
	ctx, _ := log.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := config.InitFlags(ctx, flags)
	if err != nil {
		fail(err)
	}
	command := kwok.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(flags)
	// Kubernetes has registered a --version of another type for the whole binary.
	command.Version = ""
	if err := command.ExecuteContext(ctx); err != nil {
		fail(err)
	}
}

func fail(reason any) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
