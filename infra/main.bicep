// The Azure resources of one environment: a workspace with what it needs, a cluster, and the rights of the pipelines.
targetScope = 'resourceGroup'

@description('The environment: dev or prod; part of every name.')
@allowed(['dev', 'prod'])
param environment string

@description('Where everything lies.')
param location string = resourceGroup().location

@description('AML_WORKSPACE_NAME of mlops/config-infra-<environment>.yml.')
param workspaceName string = 'mlw-mlgates-${environment}'

@description('Object id of the identity that the pipelines sign in as; its federated credential is made beside this (README).')
param pipelinePrincipalId string

@description('The machine type of online deployments. It is no resource of its own: mlops/deploy/online names it, and this reserves nothing; it is put out so that both can be compared.')
param onlineInstanceType string

@description('The machine type of the cluster for training and batch scoring.')
param clusterVmSize string = 'Standard_DS3_v2'

@description('The most nodes that the cluster may have; it has none while nothing runs.')
@minValue(1)
param clusterMaxNodes int = 2

var suffix = uniqueString(resourceGroup().id)

module foundation 'modules/foundation.bicep' = {
  name: 'foundation'
  params: {
    environment: environment
    location: location
    suffix: suffix
  }
}

module workspace 'modules/workspace.bicep' = {
  name: 'workspace'
  params: {
    location: location
    name: workspaceName
    storageId: foundation.outputs.storageId
    vaultId: foundation.outputs.vaultId
    insightsId: foundation.outputs.insightsId
    registryId: foundation.outputs.registryId
    clusterVmSize: clusterVmSize
    clusterMaxNodes: clusterMaxNodes
  }
}

module rights 'modules/rights.bicep' = {
  name: 'rights'
  params: {
    workspaceName: workspaceName
    storageName: foundation.outputs.storageName
    pipelinePrincipalId: pipelinePrincipalId
  }
  dependsOn: [workspace]
}

output workspaceId string = workspace.outputs.workspaceId
output onlineInstanceType string = onlineInstanceType
