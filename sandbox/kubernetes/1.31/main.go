// Command kube-apiserver is the real API server of that Kubernetes minor, which ends with its starter.
package main

import (
	"io"
	"os"
	_ "time/tzdata"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	go exitWithStarter()
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}

// exitWithStarter ends the process when the pipe on its standard input closes, as sandbox/main.go does.
func exitWithStarter() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}
