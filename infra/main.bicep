metadata description = 'An installation of Tagback: its apps, their identities and rights, storage, vaults, alerts. Event subscriptions follow in events.bicep, once the code is there.'

targetScope = 'subscription'

@minLength(3)
@maxLength(16)
@description('Names the installation: part of the names of everything in it.')
param environmentName string

@description('Region of the installation itself. Machines may be anywhere.')
param location string

@description('Subscriptions whose machines are looked after, each with the regions in which recovery groups are made.')
param protected protectedSubscription[]

@allowed(['one', 'three'])
@description('three: keeper, reaper and operator, each an app with an identity of its own. one: a single app that holds every role.')
param layout string = 'three'

@allowed(['function', 'queue'])
@description('How events arrive. queue needs no public endpoint, and is what happens where publicApps is off: Event Grid reaches no app behind a private endpoint.')
param eventDelivery string = 'function'

@description('Names of system topics that exist already, by subscription id: Azure allows one for each subscription. A topic needs a system-assigned identity.')
param existingTopics object = {}

@description('Group of the system topics, in each subscription: made where the topic is made, and where an existing one is found.')
param topicGroup string = 'tagback-events'

@allowed(['public', 'subnet', 'private'])
@description('Who reaches the storage account over the network; every access needs an Entra identity in any case. subnet: functionSubnetId alone, by service endpoints. private: private endpoints only.')
param storageAccess string = 'public'

@description('Subnet that the apps send their traffic through, delegated to Microsoft.App/environments. Empty: none.')
param functionSubnetId string = ''

@description('Subnet in which private endpoints are made for what is closed: the storage account where storageAccess is private, apps, topic and logs where publicApps is off. It is in the region of the installation. Empty: the network team makes them beforehand.')
param endpointSubnetId string = ''

@description('Id of the resource group that holds the private DNS zones of private endpoints, where a hub keeps them for everybody. Empty: they are made beside the installation and linked to the network of endpointSubnetId.')
param dnsZonesGroupId string = ''

@description('Id of the Azure Monitor private link scope of the network, which has one only: the logs are put into it. Empty: where publicApps is off and endpointSubnetId is named, one is made.')
param monitorScopeId string = ''

@description('Whether the apps, the notification topic and the logs take anything from the internet: the API, events delivered to a function, what is published, telemetry.')
param publicApps bool = true

@description('Pattern of the names of recovery groups; {region} stands for a region.')
param recoveryGroup string = 'tagback-{region}'

@description('Whether the keeper may make recovery groups in regions that are not listed: its rights then reach over whole subscriptions.')
param createRecoveryGroups bool = false

@description('Pattern of the names of vaults; {region} stands for a region.')
param vaultName string = 'tagback-{region}'

@description('Whether the operator app may restore machines: it may then write machines, disks and interfaces in the subscriptions. People can restore with rights of their own in any case.')
param allowRestores bool = false

@description('Whether the operator app may drill restores where plans ask for it: it needs allowRestores too, and may then write networks and run commands in machines in the subscriptions.')
param allowDrills bool = false

@description('Mail addresses that alerts go to.')
param alertMails string[] = []

@description('Name of the opt-in tag.')
param tagPrefix string = 'backup'

@description('Whether the tag of a resource group counts for its machines.')
param inheritGroupTags bool = false

@minValue(30)
@maxValue(730)
@description('Days that logs are kept.')
param logDays int = 30

@minValue(1)
@description('Gigabytes of logs taken in a day at most; what is beyond is dropped until the next day.')
param logGigabytesPerDay int = 1

@minValue(1)
@maxValue(1000)
@description('Instances that an app may scale to.')
param maximumInstances int = 40

@description('What tokens for the HTTP API are meant for: api://... or the id of its app registration. Empty: nobody is known over HTTP, so nothing can be asked for there, nor read without keyReads.')
param apiAudience string = ''

@description('Whether the function key alone opens what only reads over HTTP. A browser has no other way in to the dashboard; whoever has the key then sees every subscription. Otherwise reading takes a token with an app role.')
param keyReads bool = false

@description('Whether traces of operations and figures go to Application Insights, beside the logs. The package then holds OpenTelemetry.')
param telemetry bool = false

@description('Tags for everything that is made here.')
param tags object = {}

@description('A subscription whose machines are looked after.')
type protectedSubscription = {
  @description('Its id.')
  id: string
  @description('observe says what would be done and costs nothing; enforce does it.')
  mode: 'observe' | 'enforce'
  @description('Regions with machines; each gets a recovery group.')
  regions: string[]

  @description('Whether plans use Azure Backup here: each region gets a vault, and the keeper what it needs to protect machines.')
  vaults: bool

  @description('Whether plans take all disks of a machine at one instant here (consistency = "vm"): each region gets twenty groups for restore points, with the rights in them.')
  restorePoints: bool
}

var token = uniqueString(subscription().id, environmentName, location)
var installation = take('tagback${token}', 24)
var ownTags = union(tags, { 'azd-env-name': environmentName })
// What holds recovery points does not carry azd's tag: it outlives the installation.
var lastingTags = union(tags, { 'tagback-owner': installation })
var duties = loadJsonContent('duties.json')[layout]
var subscriptionIds = map(protected, each => each.id)
var subscriptionsSetting = join(map(protected, each => '${each.id}=${each.mode}'), ',')
var recoveryGroups = flatten(map(protected, each => map(each.regions, region => {
  subscription: each.id
  region: region
  name: replace(recoveryGroup, '{region}', region)
  vaults: each.vaults
  restorePoints: each.restorePoints
  part: ''
})))
// The collections of restore points of a region are spread over so many groups.
var restorePointGroups = 20
var pointGroups = flatten(map(filter(recoveryGroups, place => place.restorePoints), place => map(range(0, restorePointGroups), number => union(place, {
  name: '${place.name}-rp${padLeft(number, 2, '0')}'
  vaults: false
  part: '-rp${padLeft(number, 2, '0')}'
}))))
var holdingGroups = concat(recoveryGroups, pointGroups)
var delivery = publicApps ? eventDelivery : 'queue'
var makesEndpoints = !empty(endpointSubnetId)
var closesApps = makesEndpoints && !publicApps
var storageParts = makesEndpoints && storageAccess == 'private' ? ['blob', 'queue', 'table'] : []
// Names that Azure gives to the zones of private endpoints [Azure Private Endpoint private DNS zone values].
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  sites: 'privatelink.azurewebsites.net'
  topic: 'privatelink.eventgrid.azure.net'
}
var closesLogs = !publicApps && (makesEndpoints || !empty(monitorScopeId))
var makesMonitorScope = closesApps && empty(monitorScopeId)
var monitorScopeParts = split(empty(monitorScopeId) ? '/subscriptions/${subscription().subscriptionId}/resourceGroups/rg-${environmentName}/providers/Microsoft.Insights/privateLinkScopes/ampls-${environmentName}' : monitorScopeId, '/')
// The endpoint of Azure Monitor has names in these zones, and in the one of blobs.
var monitorZones = ['privatelink.monitor.azure.com', 'privatelink.oms.opinsights.azure.com', 'privatelink.ods.opinsights.azure.com', 'privatelink.agentsvc.azure-automation.net']
var zoneParts = union(storageParts, closesApps ? ['sites', 'topic'] : [], makesMonitorScope ? ['blob'] : [])
var zonesAt = empty(dnsZonesGroupId) ? group.id : dnsZonesGroupId

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: ownTags
}

module identities 'modules/identities.bicep' = {
  name: 'tagback-identities'
  scope: group
  params: {
    location: location
    tags: ownTags
    names: map(duties, duty => 'id-${environmentName}-${duty.app}')
  }
}

module storage 'modules/storage.bicep' = {
  name: 'tagback-storage'
  scope: group
  params: {
    name: installation
    location: location
    tags: ownTags
    access: storageAccess
    subnetId: functionSubnetId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module packages 'modules/packages.bicep' = {
  name: 'tagback-packages'
  scope: group
  params: {
    name: take('tagbackpkg${token}', 24)
    location: location
    tags: ownTags
    access: storageAccess
    subnetId: functionSubnetId
    apps: map(duties, duty => duty.app)
    principalIds: identities.outputs.principalIds
  }
}

module zones 'modules/private-zones.bicep' = if (!empty(zoneParts) && empty(dnsZonesGroupId)) {
  name: 'tagback-zones'
  scope: group
  params: {
    names: concat(map(filter(items(zoneNames), each => contains(zoneParts, each.key)), each => each.value), makesMonitorScope ? monitorZones : [])
    networkId: first(split(endpointSubnetId, '/subnets/'))
    tags: ownTags
  }
}

module storageEndpoints 'modules/private-endpoint.bicep' = [for part in storageParts: {
  name: 'tagback-endpoint-${part}'
  scope: group
  dependsOn: [zones]
  params: {
    name: 'pe-${environmentName}-${part}'
    location: location
    tags: ownTags
    subnetId: endpointSubnetId
    targetId: storage.outputs.id
    part: part
    zoneIds: ['${zonesAt}/providers/Microsoft.Network/privateDnsZones/${zoneNames[part]}']
  }
}]

module packagesEndpoint 'modules/private-endpoint.bicep' = if (!empty(storageParts)) {
  name: 'tagback-endpoint-packages'
  scope: group
  dependsOn: [zones]
  params: {
    name: 'pe-${environmentName}-packages'
    location: location
    tags: ownTags
    subnetId: endpointSubnetId
    targetId: packages.outputs.id
    part: 'blob'
    zoneIds: ['${zonesAt}/providers/Microsoft.Network/privateDnsZones/${zoneNames.blob}']
  }
}

module dataAccess 'modules/data-access.bicep' = {
  name: 'tagback-data-access'
  scope: group
  params: {
    storageName: storage.outputs.name
    topicName: notifications.outputs.name
    insightsName: monitoring.outputs.insightsName
    principalIds: identities.outputs.principalIds
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'tagback-monitoring'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: ownTags
    days: logDays
    gigabytesPerDay: logGigabytesPerDay
    isPublic: !closesLogs
  }
}

module monitorScope 'modules/monitor-scope.bicep' = if (makesMonitorScope) {
  name: 'tagback-monitor-scope'
  scope: group
  params: {
    name: 'ampls-${environmentName}'
    tags: ownTags
  }
}

module monitorLinks 'modules/monitor-links.bicep' = if (closesLogs) {
  name: 'tagback-monitor-links'
  scope: resourceGroup(monitorScopeParts[2], monitorScopeParts[4])
  dependsOn: [monitorScope]
  params: {
    scopeName: monitorScopeParts[8]
    resourceIds: [monitoring.outputs.workspaceId, monitoring.outputs.insightsId]
  }
}

module monitorEndpoint 'modules/private-endpoint.bicep' = if (makesMonitorScope) {
  name: 'tagback-endpoint-monitor'
  scope: group
  dependsOn: [zones, monitorLinks]
  params: {
    name: 'pe-${environmentName}-monitor'
    location: location
    tags: ownTags
    subnetId: endpointSubnetId
    targetId: join(monitorScopeParts, '/')
    part: 'azuremonitor'
    zoneIds: map(concat(monitorZones, [zoneNames.blob]), name => '${zonesAt}/providers/Microsoft.Network/privateDnsZones/${name}')
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'tagback-alerts'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: ownTags
    workspaceId: monitoring.outputs.workspaceId
    mails: alertMails
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'tagback-workbook'
  scope: group
  params: {
    location: location
    tags: ownTags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module notifications 'modules/notifications.bicep' = {
  name: 'tagback-notifications'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    tags: ownTags
    isPublic: publicApps
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vaults 'modules/vault.bicep' = [for place in recoveryGroups: if (place.vaults) {
  name: 'tagback-vault-${place.region}'
  scope: resourceGroup(place.subscription, place.name)
  dependsOn: [recovery]
  params: {
    name: replace(vaultName, '{region}', place.region)
    location: place.region
    tags: lastingTags
  }
}]

module roles 'modules/roles.bicep' = {
  name: 'tagback-roles'
  params: {
    installation: installation
    subscriptionIds: union([subscription().subscriptionId], subscriptionIds)
  }
}

module recovery 'modules/recovery.bicep' = [for place in holdingGroups: {
  name: 'tagback-recovery-${place.region}${place.part}'
  scope: subscription(place.subscription)
  params: {
    name: place.name
    region: place.region
    tags: lastingTags
  }
}]

module access 'modules/access.bicep' = [for each in protected: {
  name: 'tagback-access'
  scope: subscription(each.id)
  dependsOn: [roles]
  params: {
    installation: installation
    principalIds: identities.outputs.principalIds
    duties: duties
    vaults: each.vaults
    allowRestores: allowRestores
    allowDrills: allowRestores && allowDrills
    createRecoveryGroups: createRecoveryGroups
  }
}]

module recoveryAccess 'modules/recovery-access.bicep' = [for place in holdingGroups: {
  name: 'tagback-recovery-access-${place.region}${place.part}'
  scope: resourceGroup(place.subscription, place.name)
  dependsOn: [recovery, roles]
  params: {
    installation: installation
    principalIds: identities.outputs.principalIds
    duties: duties
    vaults: place.vaults
    allowRestores: allowRestores
    allowDrills: allowRestores && allowDrills
  }
}]

module apps 'modules/app.bicep' = [for (duty, index) in duties: {
  name: 'tagback-app-${duty.app}'
  scope: group
  dependsOn: [dataAccess, access, recoveryAccess, storageEndpoints, packagesEndpoint]
  params: {
    name: 'func-${environmentName}-${duty.app}-${take(token, 6)}'
    app: duty.app
    functions: duty.functions
    location: location
    tags: ownTags
    identityId: identities.outputs.ids[index]
    clientId: identities.outputs.clientIds[index]
    storageName: storage.outputs.name
    packagesName: packages.outputs.name
    subnetId: functionSubnetId
    isPublic: publicApps
    maximumInstances: maximumInstances
    insightsConnection: monitoring.outputs.connectionString
    settings: {
      TAGBACK_SUBSCRIPTIONS: subscriptionsSetting
      TAGBACK_TAG_PREFIX: tagPrefix
      TAGBACK_INHERIT_GROUP_TAGS: inheritGroupTags ? 'on' : 'off'
      TAGBACK_RECOVERY_GROUP: recoveryGroup
      TAGBACK_TOPIC_ENDPOINT: notifications.outputs.endpoint
      TAGBACK_VAULT: vaultName
      TAGBACK_VAULT_CREATE: createRecoveryGroups ? 'on' : 'off'
      TAGBACK_API_AUDIENCE: apiAudience
      TAGBACK_API_TENANT: empty(apiAudience) ? '' : subscription().tenantId
      TAGBACK_API_READ: keyReads ? 'key' : 'role'
      TAGBACK_TELEMETRY: telemetry ? 'azure' : ''
      TAGBACK_SWEEP: '0 */15 * * * *'
      TAGBACK_EXPIRE: '0 5 * * * *'
      TAGBACK_DRILL: '0 0 4 * * *'
      TAGBACK_REPORT: '0 0 6 * * *'
      TAGBACK_ARM_ENDPOINT: uri(environment().resourceManager, '')
    }
  }
}]

module appEndpoints 'modules/private-endpoint.bicep' = [for (duty, index) in duties: if (closesApps) {
  name: 'tagback-endpoint-${duty.app}'
  scope: group
  dependsOn: [zones]
  params: {
    name: 'pe-${environmentName}-${duty.app}'
    location: location
    tags: ownTags
    subnetId: endpointSubnetId
    targetId: apps[index].outputs.id
    part: 'sites'
    zoneIds: ['${zonesAt}/providers/Microsoft.Network/privateDnsZones/${zoneNames.sites}']
  }
}]

module topicEndpoint 'modules/private-endpoint.bicep' = if (closesApps) {
  name: 'tagback-endpoint-topic'
  scope: group
  dependsOn: [zones]
  params: {
    name: 'pe-${environmentName}-topic'
    location: location
    tags: ownTags
    subnetId: endpointSubnetId
    targetId: notifications.outputs.id
    part: 'topic'
    zoneIds: ['${zonesAt}/providers/Microsoft.Network/privateDnsZones/${zoneNames.topic}']
  }
}

// What the command line reads, under the names of its settings: azd env get-values.

@description('Storage account of the installation, which is its id as well.')
output AzureWebJobsStorage__accountName string = installation

@description('Subscriptions that are looked after, with their modes.')
output TAGBACK_SUBSCRIPTIONS string = subscriptionsSetting

@description('Name of the opt-in tag.')
output TAGBACK_TAG_PREFIX string = tagPrefix

@description('Whether tags of resource groups count.')
output TAGBACK_INHERIT_GROUP_TAGS string = inheritGroupTags ? 'on' : 'off'

@description('Pattern of the names of recovery groups.')
output TAGBACK_RECOVERY_GROUP string = recoveryGroup

@description('Where events are published to.')
output TAGBACK_TOPIC_ENDPOINT string = notifications.outputs.endpoint

// What hooks/deploy.sh goes by.

@description('What the package holds beside the product.')
output PACKAGE_EXTRAS string = telemetry ? 'telemetry' : ''

@description('Group that the apps are in.')
output INSTALLATION_GROUP string = group.name

@description('Names of the apps, in the order in which they are deployed to.')
output INSTALLATION_APPS string[] = [for (duty, index) in duties: apps[index].outputs.name]

@description('Name of the app that events are delivered to.')
output INSTALLATION_KEEPER string = apps[0].outputs.name

@description('How events arrive.')
output EVENT_DELIVERY string = delivery

@description('Subscriptions that events come from.')
output EVENT_SOURCES string[] = subscriptionIds

@description('System topics that exist already.')
output EXISTING_TOPICS object = existingTopics

@description('Group of the system topics.')
output TOPIC_GROUP string = topicGroup
